"""TransformerCausalPrenorm: PyTorch form of a CNTK model.

Input   tokens  float32 [N, 5, 12]
Output          float32 [N, 5, 12]
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


class TransformerCausalPrenorm(nn.Module):
    constant1: Tensor
    constant2: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(12, 8)
        self.norm1 = nn.LayerNorm(8)
        self.linear2 = nn.Linear(8, 8)
        self.linear3 = nn.Linear(8, 8)
        self.linear4 = nn.Linear(8, 8)
        self.register_buffer("constant1", torch.zeros(5, 5))
        self.register_buffer("constant2", torch.zeros(5, 5))
        self.linear5 = nn.Linear(8, 8)
        self.norm2 = nn.LayerNorm(8)
        self.linear6 = nn.Linear(8, 16)
        self.linear7 = nn.Linear(16, 8)
        self.linear8 = nn.Linear(8, 12)

    def forward(self, tokens: Tensor) -> Tensor:
        x: Tensor = self.linear1(tokens)
        y: Tensor = self.norm1(x)
        z: Tensor = self.linear2(y)
        u: Tensor = self.linear3(y)
        y = self.linear4(y)
        v: Tensor = y[:, :, :4] @ u[:, :, :4].transpose(-1, -2) / 2.0
        v = F.softmax(v + self.constant1, 2) @ z[:, :, :4]
        y = y[:, :, 4:] @ u[:, :, 4:].transpose(-1, -2) / 2.0
        y = F.softmax(y + self.constant2, 2) @ z[:, :, 4:]
        x = x + self.linear5(torch.cat([v, y], 2))
        y = F.gelu(self.linear6(self.norm2(x)), approximate="tanh")
        x = x + self.linear7(y)
        x = self.linear8(x)
        y = x.amax(2, keepdim=True)
        z = (x - y).exp().sum(2, keepdim=True)
        x = x - y - z.clamp(min=1.10037215e-37).log()
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> TransformerCausalPrenorm:
    """The module with its weights, in eval mode."""
    model = TransformerCausalPrenorm()
    model.load_state_dict(load_file(path))
    return model.eval()
