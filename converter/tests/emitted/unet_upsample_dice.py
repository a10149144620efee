"""UnetUpsampleDice: PyTorch form of a CNTK model.

Input   scan  float32 [N, 1, 16, 16]
Output        float32 [N, 1, 16, 16]

Training criteria are left out. CNTK's cross_entropy_with_softmax is F.cross_entropy.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


class UnetUpsampleDice(nn.Module):
    constant1: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 8, 3, padding=1)
        self.register_buffer("constant1", torch.zeros(1, 1, 2, 1, 2))
        self.conv3 = nn.Conv2d(12, 4, 3, padding=1)
        self.conv4 = nn.Conv2d(4, 1, 1)

    def forward(self, scan: Tensor) -> Tensor:
        x: Tensor = F.relu(self.conv1(scan))
        y: Tensor = F.relu(self.conv2(F.max_pool2d(x, 2)))
        y = y[:, :, :, None, :, None] * self.constant1
        x = self.conv3(torch.cat([y.reshape(-1, 8, 16, 16), x], 1))
        x = self.conv4(F.relu(x)).sigmoid()
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> UnetUpsampleDice:
    """The module with its weights, in eval mode."""
    model = UnetUpsampleDice()
    model.load_state_dict(load_file(path))
    return model.eval()
