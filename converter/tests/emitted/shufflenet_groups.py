"""ShufflenetGroups: PyTorch form of a CNTK model.

Input   x  float32 [N, 8, 10, 10]
Output     float32 [N, 3]
"""

from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


class ShufflenetGroups(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(8, 12, 1, groups=2, bias=False)
        self.conv2 = nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.conv3 = nn.Conv2d(12, 8, 1, groups=4, bias=False)
        self.linear1 = nn.Linear(800, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = F.relu(self.conv1(x)).reshape(-1, 2, 6, 10, 10)
        y = self.conv2(y.transpose(1, 2).flatten(1, 2))
        y = F.relu(self.conv3(y) + x).flatten(1)
        y = self.linear1(y)
        return y


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> ShufflenetGroups:
    """The module with its weights, in eval mode."""
    model = ShufflenetGroups()
    model.load_state_dict(load_file(path))
    return model.eval()
