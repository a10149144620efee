"""SiameseSharedWeights: PyTorch form of a CNTK model.

Input   left      float32 [N, 1, 14, 14]
        right     float32 [N, 1, 14, 14]
Output  distance  float32 [N, 1]
"""

from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


class SiameseSharedWeights(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.linear1 = nn.Linear(196, 8)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        x: Tensor = F.max_pool2d(F.relu(self.conv1(right)), 2).flatten(1)
        x = self.linear1(x).tanh()
        y: Tensor = F.max_pool2d(F.relu(self.conv1(left)), 2).flatten(1)
        x = self.linear1(y).tanh() - x
        distance: Tensor = ((x * x).sum(1, keepdim=True) + 1e-6).sqrt()
        return distance


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> SiameseSharedWeights:
    """The module with its weights, in eval mode."""
    model = SiameseSharedWeights()
    model.load_state_dict(load_file(path))
    return model.eval()
