"""The list of cases that do not pass yet. It can only shrink: a listed case that passes is as wrong as an unlisted one
that fails, so a fix and the removal of its lines go together."""


class KnownFailures:
    """One case a line, `set/name`. After it may come the opsets at which the case fails (`@13 @21`; without, at all) or the
    kind of failure in one word."""

    def __init__(self, path):
        self.path, self.header, self.entries, self.kinds = path, [], {}, {}
        if path is None or not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                if not self.entries:
                    self.header.append(line)
                continue
            name, *rest = line.split()
            self.entries[name] = {int(w[1:]) for w in rest if w.startswith("@")}
            self.kinds[name] = next((w for w in rest if not w.startswith("@")), "")

    def lists(self, case, opset):
        return case in self.entries and (not self.entries[case] or opset in self.entries[case])

    def disagreements(self, failed, passed, existing, opset, kinds=None):
        """Complaints about a run over the cases `failed` + `passed` of all those `existing`; `kinds` says how they failed."""
        out = ["%s fails and is not listed" % n for n in failed if not self.lists(n, opset)]
        out += ["%s is listed as %s, but is %s" % (n, self.kinds[n], k) for n, k in (kinds or {}).items()
                if self.lists(n, opset) and self.kinds[n] != k]
        out += ["%s is listed as failing but passes: remove its line" % n for n in passed if self.lists(n, opset)]
        out += ["%s is listed but does not exist: remove its line" % n for n in self.entries
                if n not in existing and n.split("/")[0] in {e.split("/")[0] for e in existing}]
        return out

    def bless(self, failed, passed, existing, kinds=None):
        """Rewrites the list so that this run would agree with it; cases that were not run keep their lines."""
        ran = set(failed) | set(passed)
        sets = {e.split("/")[0] for e in existing}
        keep = {n: o for n, o in self.entries.items()
                if n not in ran and (n in existing or n.split("/")[0] not in sets)}
        keep.update({n: set() for n in failed})
        self.entries = dict(sorted(keep.items()))
        self.kinds.update(kinds or {})
        lines = [" ".join([n] + ["@%d" % o for o in sorted(opsets)] + [self.kinds[n]] * bool(self.kinds.get(n)))
                 for n, opsets in self.entries.items()]
        self.path.write_text("".join(l + "\n" for l in self.header + lines), encoding="utf-8")

    def tell(self, complaints):
        """Prints them; the exit status."""
        for line in complaints:
            print("KNOWN " + line)
        print("disagreements with %s: %d (it lists %d)" % (self.path.name, len(complaints), len(self.entries)))
        return 1 if complaints else 0
