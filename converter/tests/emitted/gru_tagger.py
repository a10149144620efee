"""GruTagger: PyTorch form of a CNTK model.

Input   tokens  float32 [N, T, 12]
Output  tags    float32 [N, T, 4]
"""

# ruff: noqa: UP045
# Optional[X] and not X | None, which torch.jit.script of torch 1.13 does not know.

from pathlib import Path
from typing import Optional

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


class CntkGru(nn.Module):
    """CNTK's GRU: unlike nn.GRU it resets the state before the matrix product."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Linear(inputs, 3 * hidden)
        self.gates = nn.Linear(hidden, 2 * hidden, bias=False)
        self.candidate = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x: Tensor, h: Optional[Tensor] = None) -> Tensor:
        x = self.input(x)
        if h is None:
            h = x.new_zeros(x.shape[0], self.candidate.in_features)
        steps = []
        for t in range(x.shape[1]):
            z, r, n = x[:, t].chunk(3, 1)
            update, reset = self.gates(h).chunk(2, 1)
            z, r = torch.sigmoid(z + update), torch.sigmoid(r + reset)
            n = torch.tanh(n + self.candidate(r * h))
            h = n + z * (h - n)
            steps.append(h)
        return torch.stack(steps, 1)


class GruTagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(12, 6, bias=False)
        self.gru1 = CntkGru(6, 8)
        self.tags = nn.Linear(8, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        x: Tensor = self.linear1(tokens)
        x = self.gru1(x)
        tags: Tensor = self.tags(x)
        return tags


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> GruTagger:
    """The module with its weights, in eval mode."""
    model = GruTagger()
    model.load_state_dict(load_file(path))
    return model.eval()
