"""LstmTimeseries106a: PyTorch form of a CNTK model.

Input   x        float32 [N, T, 1]
        lengths  int64 [N]: valid steps; without it, all are
Output           float32 [N, 1]
"""

# ruff: noqa: UP045
# Optional[X] and not X | None, which torch.jit.script of torch 1.13 does not know.

from pathlib import Path
from typing import Optional

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


def full_lengths(x: Tensor) -> Tensor:
    """The lengths of sequences of which none is padded: int64 [N]."""
    return torch.full((x.shape[0],), x.shape[1], device=x.device)


def last_step(x: Tensor, lengths: Tensor) -> Tensor:
    """The last step of each sequence."""
    y: Tensor = x[torch.arange(x.shape[0], device=x.device), lengths - 1]
    return y


class LstmTimeseries106a(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm1 = nn.LSTM(1, 12, batch_first=True)
        self.lstm1.bias_hh_l0.requires_grad_(False)
        self.drop1 = nn.Dropout(0.2)
        self.linear1 = nn.Linear(12, 1)

    def forward(self, x: Tensor, lengths: Optional[Tensor] = None) -> Tensor:
        if lengths is None:
            lengths = full_lengths(x)
        y: Tensor = self.drop1(last_step(self.lstm1(x)[0], lengths))
        y = self.linear1(y)
        return y


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> LstmTimeseries106a:
    """The module with its weights, in eval mode."""
    model = LstmTimeseries106a()
    model.load_state_dict(load_file(path))
    return model.eval()
