#!/usr/bin/env bash
# Installs CNTK 2.7 (CPU) from its PyPI wheel into a Python 3.6 environment, with a launcher:
#   corpus/generate/setup.sh DIR      then:  DIR/cntkpy script.py
# Needs Debian or Ubuntu on x86-64 and a CPython 3.6 (PYTHON36, default: pyenv's 3.6.15). The wheel links Open MPI 1; Debian's version 3
# stands in under the old names, since MPI is only called for distributed training.
set -euo pipefail
dir=${1:?usage: setup.sh DIR}
python=${PYTHON36:-$HOME/.pyenv/versions/3.6.15/bin/python}
[ -x "$python" ] || { echo "setup.sh: no CPython 3.6 at $python: set PYTHON36" >&2; exit 2; }
if ! dpkg -s libopenmpi3 >/dev/null 2>&1; then
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq libopenmpi3 >/dev/null
fi
mkdir -p "$dir/mpi"
libraries=/usr/lib/x86_64-linux-gnu
ln -sf "$libraries/libmpi.so.40" "$dir/mpi/libmpi.so.12"
ln -sf "$libraries/libmpi_cxx.so.40" "$dir/mpi/libmpi_cxx.so.1"
[ -x "$dir/v36/bin/python" ] || "$python" -m venv "$dir/v36"
"$dir/v36/bin/python" -m pip install -q --upgrade pip
"$dir/v36/bin/python" -m pip install -q cntk==2.7
cat > "$dir/cntkpy" <<'LAUNCHER'
#!/usr/bin/env bash
here=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH=$here/mpi:$here/v36/lib/python3.6/site-packages/cntk/libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PYTHONWARNINGS=ignore PYTHONHASHSEED=0 OMPI_MCA_btl=self OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
exec "$here/v36/bin/python" "$@"
LAUNCHER
chmod +x "$dir/cntkpy"
"$dir/cntkpy" -c 'import cntk; print("cntk", cntk.__version__)' | tail -n 1
