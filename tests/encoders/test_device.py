"""Which device is taken: what is asked for, else a CUDA GPU, else Apple's, else the CPU."""

from __future__ import annotations

import pytest

from zgbench.encoders.base import device
from zgbench.errors import UsageError

torch = pytest.importorskip("torch", reason="needs the extra models")


@pytest.mark.parametrize(
    ("cuda", "mps", "asked", "taken"),
    [(True, True, None, "cuda"), (False, True, None, "mps"), (False, False, None, "cpu"), (True, True, "cpu", "cpu")],
)
def test_device(cuda: bool, mps: bool, asked: str | None, taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from reference_method.cli import _devices

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.delenv("ZGBENCH_DEVICE", raising=False)
    if asked is not None:
        monkeypatch.setenv("ZGBENCH_DEVICE", asked)
    assert device() == taken
    assert _devices(None) == [{"cuda": "cuda:0"}.get(taken, taken)]


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from reference_method.cli import _devices

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match="PyTorch sees no GPU of Apple"):
        _devices("mps")
    with pytest.raises(UsageError, match="zgbench computes on cpu, cuda and mps"):
        _devices("meta")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert _devices("mps") == ["mps"]
