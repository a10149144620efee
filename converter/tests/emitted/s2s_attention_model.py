"""S2sAttentionModel: PyTorch form of a CNTK model.

Input   raw_labels         float32 [N, T, 10]
        raw_input          float32 [N, S, 10]
        raw_input_lengths  int64 [N]: valid steps; without it, all are
Output  proj               float32 [N, T, 10]
"""

# ruff: noqa: UP045
# Optional[X] and not X | None, which torch.jit.script of torch 1.13 does not know.

from pathlib import Path
from typing import Optional

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


def full_lengths(x: Tensor) -> Tensor:
    """The lengths of sequences of which none is padded: int64 [N]."""
    return torch.full((x.shape[0],), x.shape[1], device=x.device)


def valid_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Which steps are not padding: bool [N, T]."""
    return torch.lt(torch.arange(x.shape[1], device=x.device), lengths[:, None])


def flip_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each sequence within its own length; padding stays where it is."""
    step = torch.arange(x.shape[1], device=x.device)
    index = torch.where(step < lengths[:, None], lengths[:, None] - 1 - step, step)
    y: Tensor = x[torch.arange(x.shape[0], device=x.device)[:, None], index]
    return y


class Stabilizer(nn.Module):
    """CNTK's self-stabilizer: a learned gain, kept positive by a steep softplus."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * F.softplus(self.alpha, beta=4)


class StabilizedLstm(nn.Module):
    """An LSTM with self-stabilization."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Linear(inputs, 4 * hidden)
        self.recurrent = nn.Linear(hidden, 4 * hidden, bias=False)
        self.stabilize_h = Stabilizer()

    def forward(
        self, x: Tensor, h: Optional[Tensor] = None, c: Optional[Tensor] = None
    ) -> Tensor:
        x = self.input(x)
        if h is None:
            h = x.new_zeros(x.shape[0], self.recurrent.in_features)
        if c is None:
            c = x.new_zeros(x.shape[0], self.recurrent.in_features)
        steps = []
        for t in range(x.shape[1]):
            gates = x[:, t] + self.recurrent(self.stabilize_h(h))
            i, f, g, o = gates.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps, 1)


class S2sAttentionModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(10, 4, bias=False)
        self.stabilizer1 = Stabilizer()
        self.enc_h = StabilizedLstm(4, 6)
        self.linear2 = nn.Linear(10, 4, bias=False)
        self.stabilizer2 = Stabilizer()
        self.stabilizer3 = Stabilizer()
        self.linear3 = nn.Linear(6, 5, bias=False)
        self.stabilizer4 = Stabilizer()
        self.dh_stabilizer = Stabilizer()
        self.linear4 = nn.Linear(6, 5, bias=False)
        self.linear5 = nn.Linear(6, 24, bias=False)
        self.stabilizer5 = Stabilizer()
        self.linear6 = nn.Linear(5, 1, bias=False)
        self.stabilizer6 = Stabilizer()
        self.linear7 = nn.Linear(10, 24)
        self.stabilizer7 = Stabilizer()
        self.out = nn.Linear(6, 10)

    def forward(
        self,
        raw_labels: Tensor,
        raw_input: Tensor,
        raw_input_lengths: Optional[Tensor] = None,
    ) -> Tensor:
        if raw_input_lengths is None:
            raw_input_lengths = full_lengths(raw_input)
        x: Tensor = self.linear1(raw_input)
        x = flip_steps(self.stabilizer1(x), raw_input_lengths)
        enc_h = flip_steps(self.enc_h(x), raw_input_lengths)
        valid = valid_steps(raw_input, raw_input_lengths)
        x = enc_h.masked_fill(~valid[:, :, None], 0.0)
        y: Tensor = valid.type_as(raw_labels)[:, :, None]
        z: Tensor = self.linear2(raw_labels)
        z = self.stabilizer2(z)
        u: Tensor = self.stabilizer3(x)
        u = self.linear3(u)
        state = raw_labels.new_zeros((raw_labels.shape[0], 6))
        state_2 = raw_labels.new_zeros((raw_labels.shape[0], 6))
        steps = []
        for t in range(raw_labels.shape[1]):
            v: Tensor = self.stabilizer4(state_2)
            dh_stabilizer: Tensor = self.dh_stabilizer(state_2)
            w: Tensor = self.linear5(dh_stabilizer)
            v = (self.linear4(v)[:, None] + u).tanh()
            v = self.stabilizer5(v)
            p: Tensor = raw_labels.new_full((), -1e30)
            attention_weights = F.softmax(torch.where(y != 0, self.linear6(v), p), 1)
            attention: Tensor = self.stabilizer6((attention_weights * x).sum(1))
            v = self.linear7(torch.cat([z[:, t], attention], 1)) + w
            w = v[:, :6].sigmoid() * v[:, 6:12].tanh()
            w = v[:, 12:18].sigmoid() * state + w
            v = v[:, 18:].sigmoid() * w.tanh()
            steps.append(v)
            state, state_2 = w, v
        x = self.stabilizer7(torch.stack(steps, 1))
        out: Tensor = self.out(x)
        return out


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> S2sAttentionModel:
    """The module with its weights, in eval mode."""
    model = S2sAttentionModel()
    model.load_state_dict(load_file(path))
    return model.eval()
