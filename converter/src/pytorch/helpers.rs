//! Functions and layers that PyTorch lacks. Each is written into the file only where something calls it.

/// The helpers that the given text calls, and those that these call, in the order in which they are written.
pub(crate) fn used(code: &str) -> Vec<&'static Helper> {
    let mut found = vec![false; ALL.len()];
    let mut texts = vec![code];
    while let Some(text) = texts.pop() {
        for (helper, found) in ALL.iter().zip(&mut found) {
            if !*found && calls(text, helper.name) {
                *found = true;
                texts.push(helper.text);
            }
        }
    }
    ALL.iter().zip(found).filter_map(|(helper, found)| found.then_some(helper)).collect()
}

/// Is `name` called, other than as an attribute of something?
pub(crate) fn calls(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let word = !text[..at].ends_with(|c: char| c.is_alphanumeric() || "._".contains(c));
        word && text[at + name.len()..].starts_with('(')
    })
}

/// A helper.
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// Standard modules that it needs.
    pub(crate) imports: &'static [&'static str],
}

const fn plain(name: &'static str, text: &'static str) -> Helper {
    Helper { name, text, imports: &[] }
}

/// All helpers, in the order in which they are written.
pub(crate) const ALL: &[Helper] = &[
    Helper {
        name: "bn_momentum",
        imports: &["import math"],
        text: r#"# CNTK's time constants count samples, PyTorch's momentum minibatches of so many:
BN_SAMPLES = 64


def bn_momentum(time_constant: float) -> float:
    """The momentum for minibatches of BN_SAMPLES that does what the time constant did."""
    return 1 - math.exp(-BN_SAMPLES / time_constant)
"#,
    },
    Helper {
        name: "auto_pad",
        imports: &[],
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
    plain(
        "auto_crop",
        r#"def auto_crop(y: Tensor, like: Tensor, kernel: list[int]) -> Tensor:
    """Cut off what auto_pad put around a tensor of the size of `like`."""
    pads: list[int] = []
    for padded, n, k in zip(y.shape[2:], like.shape[2:], kernel):
        before = (k - 1) // 2 - (k - 1 - (padded - n)) // 2
        pads = [-before, before - (padded - n)] + pads
    return F.pad(y, pads)
"#,
    ),
    plain(
        "reciprocal",
        r#"def reciprocal(x: Tensor) -> Tensor:
    """1 / x, and 0 where x is 0."""
    y: Tensor = x.masked_fill(x == 0, float("inf")).reciprocal()
    return y
"#,
    ),
    plain(
        "power",
        r#"def power(base: Tensor, exponent: Tensor) -> Tensor:
    """base ** exponent, and 0 where that would divide by 0."""
    divides = (base == 0) & (exponent < 0)
    power = torch.pow(base.masked_fill(divides, 1.0), exponent)
    return torch.masked_fill(power, divides, 0.0)
"#,
    ),
    plain(
        "straight_through",
        r#"def straight_through(x: Tensor) -> Tensor:
    """1 above 0, else -1; the gradient is that of x within [-1, 1]."""
    passed = x.clamp(-1, 1)
    sign = torch.where(x > 0, torch.ones_like(x), -torch.ones_like(x))
    return torch.add(sign, (passed - passed.detach()).nan_to_num())
"#,
    ),
    plain(
        "hardmax",
        r#"def hardmax(x: Tensor, dim: int) -> Tensor:
    """1 at the first maximum, 0 elsewhere."""
    first = x.nan_to_num(-float("inf")).argmax(dim, keepdim=True)
    return torch.scatter(torch.zeros_like(x), dim, first, 1.0)
"#,
    ),
    plain(
        "mirror",
        r#"def mirror(x: Tensor, dim: int, before: int, after: int, skip: int) -> Tensor:
    """Pad with a mirror image; skip is 1 where the edge itself is not repeated."""
    last = x.shape[dim] - skip - after
    head = x.narrow(dim, skip, before).flip(dim)
    tail = x.narrow(dim, last, after).flip(dim)
    return torch.cat([head, x, tail], dim)
"#,
    ),
    plain(
        "max_unpool",
        r#"def max_unpool(values: Tensor, indices: Tensor, like: Tensor) -> Tensor:
    """Put pooled values back where the maxima were, zeros elsewhere."""
    zeros = torch.zeros_like(like).flatten(2)
    flat = torch.scatter(zeros, 2, indices.flatten(2), values.flatten(2))
    return torch.reshape(flat, like.shape)
"#,
    ),
    Helper {
        name: "roi_pool",
        imports: &[],
        text: r#"def roi_pool(x: Tensor, rois: Tensor, size: tuple[int, int], scale: float) -> Tensor:
    """The maximum over each bin of each region [x1, y1, x2, y2], ends included."""
    scaled = torch.mul(rois, scale)
    boxes = (scaled.sign() * torch.floor(scaled.abs() + 0.5)).long()
    pooled = torch.zeros(rois.shape[:2] + x.shape[1:2] + size, device=x.device)
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
    plain(
        "full_lengths",
        r#"def full_lengths(x: Tensor) -> Tensor:
    """The lengths of sequences of which none is padded: int64 [N]."""
    return torch.full((x.shape[0],), x.shape[1], device=x.device)
"#,
    ),
    plain(
        "valid_steps",
        r#"def valid_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Which steps are not padding: bool [N, T]."""
    return torch.lt(torch.arange(x.shape[1], device=x.device), lengths[:, None])
"#,
    ),
    plain(
        "flip_steps",
        r#"def flip_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each sequence within its own length; padding stays where it is."""
    step = torch.arange(x.shape[1], device=x.device)
    index = torch.where(step < lengths[:, None], lengths[:, None] - 1 - step, step)
    y: Tensor = x[torch.arange(x.shape[0], device=x.device)[:, None], index]
    return y
"#,
    ),
    plain(
        "take_steps",
        r#"def take_steps(x: Tensor, index: Tensor) -> Tensor:
    """The steps of each sequence that index names, one [N] or several [N, T]."""
    rows = torch.arange(x.shape[0], device=x.device)
    y: Tensor = x[rows if index.dim() == 1 else rows[:, None], index]
    return y
"#,
    ),
    plain(
        "last_step",
        r#"def last_step(x: Tensor, lengths: Tensor) -> Tensor:
    """The last step of each sequence."""
    y: Tensor = x[torch.arange(x.shape[0], device=x.device), lengths - 1]
    return y
"#,
    ),
    plain(
        "chosen_steps",
        r#"def chosen_steps(chosen: Tensor) -> Tensor:
    """The positions of the chosen steps, those of each sequence first: int64 [N, T]."""
    order = torch.sort((~chosen).int(), dim=1, stable=True)[1]
    return torch.narrow(order, 1, 0, int(chosen.sum(1).max()))
"#,
    ),
    plain(
        "counted_steps",
        r#"def counted_steps(counts: Tensor) -> Tensor:
    """Each step as often as counts says: int64 [N, T]."""
    ends = torch.cummax(counts.cumsum(1), 1)[0]
    step = torch.arange(int(ends[:, -1].ceil().max()), device=counts.device)
    index = (step[:, None] >= ends[:, None]).sum(2)
    return torch.clamp(index, max=counts.shape[1] - 1)
"#,
    ),
    plain(
        "put_steps",
        r#"def put_steps(x: Tensor, index: Tensor, steps: int) -> Tensor:
    """Put steps at the positions that index names, zeros elsewhere."""
    index = index.reshape(index.shape + (1,) * (x.dim() - 2)).expand_as(x)
    zeros = x.new_zeros((x.shape[0], steps) + x.shape[2:])
    return torch.scatter_add(zeros, 1, index, x)
"#,
    ),
    plain(
        "past_value",
        r#"def past_value(x: Tensor, initial: Tensor, steps: int) -> Tensor:
    """x delayed; initial stands before the first step."""
    first = initial.expand((x.shape[0], steps) + x.shape[2:])
    return torch.narrow(torch.cat([first, x], 1), 1, 0, x.shape[1])
"#,
    ),
    plain(
        "future_value",
        r#"def future_value(x: Tensor, initial: Tensor, steps: int, lengths: Tensor) -> Tensor:
    """x brought forward; initial stands after the last step of each sequence."""
    ahead = torch.arange(x.shape[1], device=x.device) + steps < lengths[:, None]
    ahead = ahead.reshape(ahead.shape + (1,) * (x.dim() - 2))
    return torch.where(ahead, x.roll(-steps, 1), initial)
"#,
    ),
    plain(
        "LayerNorm",
        r#"class LayerNorm(nn.Module):
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
    ),
    plain(
        "Stabilizer",
        r#"class Stabilizer(nn.Module):
    """CNTK's self-stabilizer: a learned gain, kept positive by a steep softplus."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * F.softplus(self.alpha, beta=4)
"#,
    ),
    Helper {
        name: "pack",
        imports: &["from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence"],
        text: r#"def pack(x: Tensor, lengths: Tensor) -> PackedSequence:
    """The valid steps, which are all that both directions of a layer may see."""
    return pack_padded_sequence(x, lengths.cpu(), True, enforce_sorted=False)
"#,
    },
    Helper {
        name: "unpack",
        imports: &["from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence"],
        text: r#"def unpack(x: PackedSequence, steps: int) -> Tensor:
    """Padded again to so many steps."""
    return pad_packed_sequence(x, True, total_length=steps)[0]
"#,
    },
];
