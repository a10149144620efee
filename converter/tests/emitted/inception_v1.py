"""InceptionV1: PyTorch form of a CNTK model.

Input   features  float32 [N, 3, 32, 32]
Output            float32 [N, 10]
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


class InceptionBlock(nn.Module):
    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 1)
        self.conv2 = nn.Conv2d(in_channels, channels, 1)
        self.conv3 = nn.Conv2d(channels, 8, 3, padding=1)
        self.conv4 = nn.Conv2d(in_channels, channels, 1)
        self.conv5 = nn.Conv2d(channels, 4, 5, padding=2)
        self.conv6 = nn.Conv2d(in_channels, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv2(x))
        y = F.relu(self.conv3(y))
        z = F.relu(self.conv4(x))
        z = F.relu(self.conv5(z))
        u: Tensor = self.conv6(F.max_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([F.relu(self.conv1(x)), y, z, F.relu(u)], 1)


class InceptionV1(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 5, stride=2, padding=2)
        self.layers = nn.Sequential(InceptionBlock(8, 4), InceptionBlock(20, 6))
        self.drop1 = nn.Dropout(0.4)
        self.linear1 = nn.Linear(22, 10)

    def forward(self, features: Tensor) -> Tensor:
        x: Tensor = F.relu(self.conv1(features))
        x = self.layers(F.max_pool2d(x, 3, stride=2, padding=1))
        x = self.drop1(x.mean((2, 3), keepdim=True)).flatten(1)
        x = self.linear1(x)
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> InceptionV1:
    """The module with its weights, in eval mode."""
    model = InceptionV1()
    model.load_state_dict(load_file(path))
    return model.eval()
