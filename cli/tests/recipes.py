"""Runs the recipes of docs/threats.md on emitted modules: recipes.py PROGRAM CORPUS_ZOO."""

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from art.attacks.evasion import ProjectedGradientDescent
from art.defences.trainer import AdversarialTrainer
from art.estimators.classification import PyTorchClassifier
from opacus import PrivacyEngine
from opacus.validators import ModuleValidator
from torch.utils.data import DataLoader, TensorDataset


class Logits(torch.nn.Module):
    """The module for a classifier of the toolbox: one output, logits [N, classes]."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        y = self.inner(x)
        return y[0] if isinstance(y, tuple) else y


def data(classes, shape, count, seed):
    """Samples around one random centre per class, pixels from 0 to 255."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand((classes, *shape), generator=torch.Generator().manual_seed(7))
    labels = torch.randint(classes, (count,), generator=generator)
    noise = torch.randn((count, *shape), generator=generator) * 0.1
    return (centres[labels] + noise).clamp(0, 1) * 255, labels


def attack(module, shape, classes):
    """Evasion: an attack lowers the accuracy, and training on what it finds raises it again."""
    x, y = data(classes, shape, 256, 1)
    classifier = PyTorchClassifier(
        Logits(module),
        torch.nn.CrossEntropyLoss(),
        input_shape=shape,
        nb_classes=classes,
        optimizer=torch.optim.Adam(module.parameters(), 3e-3),
        clip_values=(0.0, 255.0),
        device_type="cpu",
    )

    def accuracy(samples):
        return float((classifier.predict(samples).argmax(1) == y.numpy()).mean())

    classifier.fit(x.numpy(), y.numpy(), batch_size=32, nb_epochs=4)
    pgd = ProjectedGradientDescent(
        classifier, eps=60.0, eps_step=8.0, max_iter=6, verbose=False
    )
    clean, attacked = accuracy(x.numpy()), accuracy(pgd.generate(x.numpy()))
    AdversarialTrainer(classifier, pgd, ratio=1.0).fit(
        x.numpy(), y.numpy(), batch_size=32, nb_epochs=5
    )
    hardened = accuracy(pgd.generate(x.numpy()))
    print(
        f"evasion: {clean:.2f} clean, {attacked:.2f} attacked, {hardened:.2f} trained"
    )
    assert clean > 0.9 and attacked < clean - 0.1 and hardened > attacked + 0.3


def private(module, shape, classes):
    """Private data: fine-tuning under a privacy budget changes the weights and states what it cost."""
    module = ModuleValidator.fix(Logits(module)).train()
    assert not ModuleValidator.validate(module)
    before = [p.detach().clone() for p in module.parameters()]
    optimizer = torch.optim.SGD(module.parameters(), 0.05)
    loader = DataLoader(TensorDataset(*data(classes, shape, 256, 2)), batch_size=32)
    engine = PrivacyEngine(accountant="rdp")
    module, optimizer, loader = engine.make_private(
        module=module,
        optimizer=optimizer,
        data_loader=loader,
        noise_multiplier=1.1,
        max_grad_norm=1.0,
    )
    for x, y in loader:
        optimizer.zero_grad()
        if len(x):
            torch.nn.functional.cross_entropy(module(x), y).backward()
            optimizer.step()
    epsilon = engine.get_epsilon(1e-5)
    changed = any((a != b).any() for a, b in zip(before, module.parameters()))
    print(f"private data: epsilon {epsilon:.2f}")
    assert changed and 0 < epsilon < 20


def main():
    program, zoo = sys.argv[1], Path(sys.argv[2])
    torch.manual_seed(0)
    np.random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        model, out = zoo / "mnist_cnn_103d.model", Path(folder, "mnist")
        subprocess.run(
            [program, "convert", model, "--to", "pytorch", "-o", out], check=True
        )
        load = importlib.import_module("mnist").load
        attack(load(), (1, 28, 28), 10)
        private(load(), (1, 28, 28), 10)


if __name__ == "__main__":
    main()
