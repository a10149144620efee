"""AlexnetSmall: PyTorch form of a CNTK model.

Input   features  float32 [N, 3, 67, 67]
Output            float32 [N, 7]
"""

from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


class AlexnetSmall(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 12, 11, stride=4)
        self.conv2 = nn.Conv2d(12, 16, 5, padding=2)
        self.conv3 = nn.Conv2d(16, 20, 3, padding=1)
        self.conv4 = nn.Conv2d(20, 16, 3, padding=1)
        self.linear1 = nn.Linear(64, 32)
        self.drop1 = nn.Dropout(0.5)
        self.linear2 = nn.Linear(32, 7)

    def forward(self, features: Tensor) -> Tensor:
        x: Tensor = F.relu(self.conv1(features - 114.0))
        x = F.local_response_norm(x, 5, 0.0001, 0.75, 2.0)
        x = self.conv2(F.max_pool2d(x, 3, stride=2, padding=1))
        x = F.local_response_norm(F.relu(x), 5, 0.0001, 0.75, 2.0)
        x = self.conv3(F.max_pool2d(x, 3, stride=2, padding=1))
        x = F.relu(self.conv4(F.relu(x)))
        x = F.max_pool2d(x, 3, stride=2, padding=1).flatten(1)
        x = self.drop1(F.relu(self.linear1(x)))
        x = self.linear2(x)
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> AlexnetSmall:
    """The module with its weights, in eval mode."""
    model = AlexnetSmall()
    model.load_state_dict(load_file(path))
    return model.eval()
