"""A graphics card that is not there: its tensors have shapes, types and a device, but no numbers.

Torch checks of them what it checks of real ones, so a tensor that was made on the wrong device ends
in an error. What is read back to the host is made up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

CARD = torch.device("cuda")
_TO_HOST = {"tolist", "item", "cpu", "numpy", "__bool__", "__int__", "__float__"}


class PretendCard(TorchFunctionMode):
    """Within it, `model.to("cuda")` and `device="cuda"` work on any machine.

    Args:
        values: Numbers read back lie below it; a vocabulary's size, so that ids are ids.

    Attributes:
        reads: How often the host has read from the card.
    """

    def __init__(self, *, values: int) -> None:
        super().__init__()
        self.reads = 0
        self._values = values
        self._fake = FakeTensorMode()
        self._generator = torch.Generator().manual_seed(1)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Let the card do what concerns it, and torch all else."""
        kwargs = kwargs or {}
        leaves = tree_leaves((args, kwargs))
        is_there = any(isinstance(leaf, FakeTensor) for leaf in leaves)
        name = getattr(func, "__name__", "")
        if is_there and name in _TO_HOST:
            return self._read(args[0], name)
        if not is_there and not any(_is_card(leaf) for leaf in leaves):
            return func(*args, **kwargs)
        if func is torch.tensor:
            made = func(*args, **{key: kwargs[key] for key in kwargs if key != "device"})
            with self._fake:
                return self._fake.from_tensor(made).to(kwargs.get("device"))
        if name == "__setitem__" and not isinstance(args[2], torch.Tensor):
            return None  # a number fits everywhere
        args, kwargs = tree_map(self._take, (args, kwargs))
        with self._fake:
            # A deep copy of a tensor without numbers would take this mode along.
            return args[0].clone() if name == "__deepcopy__" else func(*args, **kwargs)

    def _take(self, leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor) and not isinstance(leaf, FakeTensor):
            return self._fake.from_tensor(leaf)
        return leaf

    def _read(self, tensor: torch.Tensor, name: str) -> Any:
        self.reads += 1
        shape = tuple(tensor.shape)
        if tensor.is_floating_point():
            made = torch.randint(1, self._values, shape, generator=self._generator)
        elif tensor.dtype == torch.bool or name == "cpu":
            made = torch.ones(shape)  # a mask without holes
        else:
            made = torch.zeros(shape)  # a number that any table has a row for
        made = made.to(tensor.dtype)
        return made if name == "cpu" else getattr(made, name)()


def _is_card(leaf: Any) -> bool:
    return leaf == CARD or (isinstance(leaf, str | torch.device) and str(leaf).startswith("cuda"))
