//! The text of each helper.

use super::{Helper, Import};

/// All helpers, in the order in which they are written.
pub(crate) const ALL: &[Helper] = &[
    Helper {
        name: "bn_momentum",
        imports: &[Import::Math],
        text: r#"# CNTK's time constants count samples, PyTorch's momentum minibatches of so many:
BN_SAMPLES = 64


def bn_momentum(time_constant: float) -> float:
    """The momentum for minibatches of BN_SAMPLES that does what the time constant did."""
    return 1 - math.exp(-BN_SAMPLES / time_constant)
"#,
    },
    Helper {
        name: "BN_MOMENTUM",
        imports: &[Import::Math],
        text: r#"# CNTK's time constant counts samples, PyTorch's momentum minibatches, here of 64:
BN_MOMENTUM = 1 - math.exp(-64 / TIME_CONSTANT)
"#,
    },
    Helper {
        name: "auto_pad",
        imports: &[Import::Functional],
        text: r#"def auto_pad(
    x: Tensor, kernel: list[int], stride: list[int], value: float = 0.0
) -> Tensor:
    """Pad as CNTK does: centred on what the strides leave over."""
    pads: list[int] = []
    for n, k, s in zip(x.shape[2:], kernel, stride):
        extra = (n - 1) % s
        before = (k - 1) // 2 - extra // 2
        pads = [before, k - 1 - extra - before] + pads
    return F.pad(x, pads, value=value)
"#,
    },
    Helper {
        name: "auto_crop",
        imports: &[Import::Functional],
        text: r#"def auto_crop(y: Tensor, like: Tensor, kernel: list[int]) -> Tensor:
    """Cut off what auto_pad put around a tensor of the size of `like`."""
    pads: list[int] = []
    for padded, n, k in zip(y.shape[2:], like.shape[2:], kernel):
        before = (k - 1) // 2 - (k - 1 - (padded - n)) // 2
        pads = [-before, before - (padded - n)] + pads
    return F.pad(y, pads)
"#,
    },
    Helper {
        name: "reciprocal",
        imports: &[],
        text: r#"def reciprocal(x: Tensor) -> Tensor:
    """1 / x, and 0 where x is 0."""
    y: Tensor = x.masked_fill(x == 0, float("inf")).reciprocal()
    return y
"#,
    },
    Helper {
        name: "half_sum",
        imports: &[Import::Torch],
        text: r#"def half_sum(total: Tensor) -> Tensor:
    """A sum that overflows as it does in half precision, whose mean then does, too."""
    return torch.where(total.abs() < 65520.0, total, total * float("inf"))
"#,
    },
    Helper {
        name: "power",
        imports: &[Import::Torch],
        text: r#"def power(base: Tensor, exponent: Tensor) -> Tensor:
    """base ** exponent, and 0 where that would divide by 0."""
    divides = (base == 0) & (exponent < 0)
    power = torch.pow(base.masked_fill(divides, 1.0), exponent)
    return torch.masked_fill(power, divides, 0.0)
"#,
    },
    Helper {
        name: "straight_through",
        imports: &[Import::Torch],
        text: r#"def straight_through(x: Tensor) -> Tensor:
    """1 above 0, else -1; the gradient is that of x within [-1, 1]."""
    passed = x.clamp(-1, 1)
    sign = torch.where(x > 0, torch.ones_like(x), -torch.ones_like(x))
    return torch.add(sign, (passed - passed.detach()).nan_to_num())
"#,
    },
    Helper {
        name: "hardmax",
        imports: &[Import::Torch],
        text: r#"def hardmax(x: Tensor, dim: int) -> Tensor:
    """1 at the first maximum, 0 elsewhere."""
    first = x.nan_to_num(-float("inf")).argmax(dim, keepdim=True)
    return torch.scatter(torch.zeros_like(x), dim, first, 1.0)
"#,
    },
    Helper {
        name: "mirror",
        imports: &[Import::Torch],
        text: r#"def mirror(x: Tensor, dim: int, before: int, after: int, skip: int) -> Tensor:
    """Pad with a mirror image; skip is 1 where the edge itself is not repeated."""
    last = x.shape[dim] - skip - after
    head = x.narrow(dim, skip, before).flip(dim)
    tail = x.narrow(dim, last, after).flip(dim)
    return torch.cat([head, x, tail], dim)
"#,
    },
    Helper {
        name: "max_unpool",
        imports: &[Import::Torch],
        text: r#"def max_unpool(values: Tensor, indices: Tensor, like: Tensor) -> Tensor:
    """Put pooled values back where the maxima were, zeros elsewhere."""
    zeros = torch.zeros_like(like).flatten(2)
    flat = torch.scatter(zeros, 2, indices.flatten(2), values.flatten(2))
    return torch.reshape(flat, like.shape)
"#,
    },
    Helper {
        name: "roi_pool",
        imports: &[Import::Torch],
        text: r#"def roi_pool(x: Tensor, rois: Tensor, size: tuple[int, int], scale: float) -> Tensor:
    """The maximum over each bin of each region [x1, y1, x2, y2], ends included."""
    scaled = torch.mul(rois, scale)
    boxes = (scaled.sign() * torch.floor(scaled.abs() + 0.5)).long()
    pooled = x.new_zeros(rois.shape[:2] + x.shape[1:2] + size)
    for n in range(rois.shape[0]):
        for r in range(rois.shape[1]):
            x1, y1, x2, y2 = (int(v) for v in boxes[n, r])
            w, h = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
            for i in range(size[0]):
                top, end = y1 + i * h // size[0], y1 - (-(i + 1) * h // size[0])
                for j in range(size[1]):
                    left, right = x1 + j * w // size[1], x1 - (-(j + 1) * w // size[1])
                    part = x[n, :, max(top, 0) : end, max(left, 0) : right]
                    if min(top, left) >= 0 and part.numel() > 0:
                        pooled[n, r, :, i, j] = part.amax((1, 2))
    return pooled
"#,
    },
    Helper {
        name: "check_input",
        imports: &[Import::Optional, Import::Torch],
        text: r#"def check_input(
    name: str,
    x: Tensor,
    sizes: list[int],
    lengths: Optional[Tensor] = None,
    below: int = 0,
) -> None:
    """Refuse what the model was not made for. Of the sizes, 0 is any and -n at most n.

    With lengths, padding may hold anything. Indices are below `below`.
    """
    if not x.is_floating_point():
        raise ValueError(f"{name}: wants floating-point numbers")
    fits = x.dim() == len(sizes)
    for n, size in zip(x.shape, sizes):
        fits = fits and (n <= -size if size < 0 else n == size or size == 0)
    if not fits:
        raise ValueError(
            f"{name}: the shape {list(x.shape)} does not fit {sizes} (0: any, -n: at most n)"
        )
    if lengths is not None:
        if lengths.is_floating_point() or lengths.shape != x.shape[:1]:
            raise ValueError(f"{name}: its lengths are not an integer for each sample")
        if bool((lengths < 1).any()) or bool((lengths > x.shape[1]).any()):
            raise ValueError(f"{name}: its lengths are not all from 1 to {x.shape[1]}")
        x = x[torch.arange(x.shape[1], device=x.device) < lengths[:, None]]
    if not bool(torch.isfinite(x).all()):
        raise ValueError(f"{name}: holds NaN or infinity")
    if below > 0 and (bool((x < 0).any()) or bool((x >= below).any())):
        raise ValueError(f"{name}: holds an index that is not from 0 to {below - 1}")
"#,
    },
    Helper {
        name: "full_lengths",
        imports: &[Import::Torch],
        text: r#"def full_lengths(x: Tensor) -> Tensor:
    """The lengths of sequences of which none is padded: int64 [N]."""
    return torch.full((x.shape[0],), x.shape[1], device=x.device)
"#,
    },
    Helper {
        name: "valid_steps",
        imports: &[Import::Torch],
        text: r#"def valid_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Which steps are not padding: bool [N, T]."""
    return torch.lt(torch.arange(x.shape[1], device=x.device), lengths[:, None])
"#,
    },
    Helper {
        name: "flip_steps",
        imports: &[Import::Torch],
        text: r#"def flip_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each sequence within its own length; padding stays where it is."""
    step = torch.arange(x.shape[1], device=x.device)
    index = torch.where(step < lengths[:, None], lengths[:, None] - 1 - step, step)
    y: Tensor = x[torch.arange(x.shape[0], device=x.device)[:, None], index]
    return y
"#,
    },
    Helper {
        name: "embed",
        imports: &[Import::Functional],
        text: r#"def embed(ids: Tensor, table: Tensor) -> Tensor:
    """Rows of the table; zeros for an id that it does not have, as -1 for padding."""
    known = (ids >= 0) & (ids < table.shape[0])
    return F.embedding(ids * known, table).masked_fill(~known.unsqueeze(-1), 0.0)
"#,
    },
    Helper {
        name: "take_steps",
        imports: &[Import::Torch],
        text: r#"def take_steps(x: Tensor, index: Tensor) -> Tensor:
    """The steps of each sequence that index names, one [N] or several [N, T]."""
    rows = torch.arange(x.shape[0], device=x.device)
    y: Tensor = x[rows if index.dim() == 1 else rows[:, None], index]
    return y
"#,
    },
    Helper {
        name: "as_many_steps",
        imports: &[],
        text: r#"def as_many_steps(x: Tensor, like: Tensor) -> Tensor:
    """A single step is repeated for all steps of another tensor."""
    return x.repeat_interleave(like.shape[1], 1) if x.shape[1] == 1 else x
"#,
    },
    Helper {
        name: "last_steps",
        imports: &[Import::Torch],
        text: r#"def last_steps(x: Tensor, lengths: Tensor, steps: int) -> Tensor:
    """The last steps of each sequence; where it has fewer, its first one again."""
    index = lengths[:, None] - steps + torch.arange(steps, device=x.device)
    rows = torch.arange(x.shape[0], device=x.device)[:, None]
    y: Tensor = x[rows, index.clamp(min=0)]
    return y
"#,
    },
    Helper {
        name: "last_step",
        imports: &[Import::Torch],
        text: r#"def last_step(x: Tensor, lengths: Tensor) -> Tensor:
    """The last step of each sequence."""
    y: Tensor = x[torch.arange(x.shape[0], device=x.device), lengths - 1]
    return y
"#,
    },
    Helper {
        name: "chosen_steps",
        imports: &[Import::Torch],
        text: r#"def chosen_steps(chosen: Tensor) -> Tensor:
    """The positions of the chosen steps, those of each sequence first: int64 [N, T]."""
    order = torch.sort((~chosen).int(), dim=1, stable=True)[1]
    return torch.narrow(order, 1, 0, int(chosen.sum(1).max()))
"#,
    },
    Helper {
        name: "counted_steps",
        imports: &[Import::Torch],
        text: r#"def counted_steps(counts: Tensor) -> Tensor:
    """Each step as often as counts says: int64 [N, T]."""
    ends = torch.cummax(counts.cumsum(1), 1)[0]
    step = torch.arange(int(ends[:, -1].ceil().max()), device=counts.device)
    index = (step[:, None] >= ends[:, None]).sum(2)
    return torch.clamp(index, max=counts.shape[1] - 1)
"#,
    },
    Helper {
        name: "later_columns",
        imports: &[Import::Torch],
        text: r#"def later_columns(lengths: Tensor, steps: int, shift: int, count: int) -> Tensor:
    """What stands shift, shift + 1, ... columns after each step in CNTK's minibatch.

    A sequence stands in the first row that has room for it. Steps are counted time by
    time, and a gap has the number after the last one: int64 [count, T * N].
    """
    longest = int(lengths.max())
    used: list[int] = []
    rows: list[int] = []
    starts: list[int] = []
    sizes: list[int] = lengths.tolist()
    for n in sizes:
        row = 0
        while row < len(used) and used[row] + n > longest:
            row += 1
        if row == len(used):
            used.append(0)
        rows.append(row)
        starts.append(used[row])
        used[row] += n
    width, device = len(used), lengths.device
    step = torch.arange(steps, device=device)[:, None]
    place = torch.tensor(starts, device=device) + step
    column = place * width + torch.tensor(rows, device=device)
    column = column.masked_fill(step >= lengths, longest * width).flatten()
    every = torch.arange(column.numel(), device=device)
    frame = torch.full_like(every[:1], column.numel()).repeat(longest * width + 1)
    frame[column] = every
    later = column + shift + torch.arange(count, device=device)[:, None]
    y: Tensor = frame[later % (longest * width)]
    return y
"#,
    },
    Helper {
        name: "put_steps",
        imports: &[Import::Torch],
        text: r#"def put_steps(x: Tensor, index: Tensor, steps: int) -> Tensor:
    """Put steps at the positions that index names, zeros elsewhere."""
    index = index.reshape(index.shape + (1,) * (x.dim() - 2)).expand_as(x)
    zeros = x.new_zeros((x.shape[0], steps) + x.shape[2:])
    return torch.scatter_add(zeros, 1, index, x)
"#,
    },
    Helper {
        name: "past_value",
        imports: &[Import::Torch],
        text: r#"def past_value(x: Tensor, initial: Tensor, steps: int) -> Tensor:
    """x delayed; initial stands before the first step."""
    first = initial.expand((x.shape[0], steps) + x.shape[2:])
    return torch.narrow(torch.cat([first, x], 1), 1, 0, x.shape[1])
"#,
    },
    Helper {
        name: "future_value",
        imports: &[Import::Torch],
        text: r#"def future_value(x: Tensor, initial: Tensor, steps: int, lengths: Tensor) -> Tensor:
    """x brought forward; initial stands after the last step of each sequence."""
    ahead = torch.arange(x.shape[1], device=x.device) + steps < lengths[:, None]
    ahead = ahead.reshape(ahead.shape + (1,) * (x.dim() - 2))
    return torch.where(ahead, x.roll(-steps, 1), initial)
"#,
    },
    Helper {
        name: "LayerNorm",
        imports: &[Import::Torch],
        text: r#"class LayerNorm(nn.Module):
    """CNTK's layer normalization: over all axes of a sample, by deviation + eps."""

    def __init__(self, size: int, axes: int = 1, eps: float = 1e-5) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))
        self.axes, self.eps = tuple(range(-axes, 0)), eps

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(self.axes, keepdim=True)
        x = x / (x.square().mean(self.axes, keepdim=True).sqrt() + self.eps)
        return x * self.scale + self.bias
"#,
    },
    Helper {
        name: "Stabilizer",
        imports: &[Import::Torch, Import::Functional],
        text: r#"class Stabilizer(nn.Module):
    """CNTK's self-stabilizer: a learned gain, kept positive by a steep softplus."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * F.softplus(self.alpha, beta=4)
"#,
    },
    Helper {
        name: "pack",
        imports: &[Import::Packed],
        text: r#"def pack(x: Tensor, lengths: Tensor) -> PackedSequence:
    """The valid steps, which are all that both directions of a layer may see."""
    return pack_padded_sequence(x, lengths.cpu(), True, enforce_sorted=False)
"#,
    },
    Helper {
        name: "unpack",
        imports: &[Import::Packed],
        text: r#"def unpack(x: PackedSequence, steps: int) -> Tensor:
    """Padded again to so many steps."""
    return pad_packed_sequence(x, True, total_length=steps)[0]
"#,
    },
];
