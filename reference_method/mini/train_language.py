"""GPT-2 of ``mini``: the captions and phrases of training scenes, each as ``Image of a …``."""

from __future__ import annotations

import json
import random
from pathlib import Path

import torch

from reference_method.mini.scenes import Scenes

_VOCABULARY = 640
_END = "<|endoftext|>"


def texts(scenes: Scenes, count: int, seed: int) -> list[str]:
    """Sentences about scenes: nineteen in twenty of one thing or stuff, the others of a whole scene."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        at = rng.randrange(len(scenes.shown))
        if rng.random() < 0.95:
            one = rng.choice(scenes.shown[at])
            words = f"a {rng.choices((one.name, one.coloured, one.synonym), (4, 3, 2))[0]}"
        else:
            words = rng.choice(scenes.captions[at])
            words = words if words.startswith(("a ", "an ")) else f"a {words}"
        words = "a " + words.removeprefix("an ") if words.startswith("an ") else words
        found.append(f"Image of {words}.")
    return found


def train(scenes: Scenes, folder: Path, *, steps: int, batch: int, seed: int, device: str) -> None:
    """Train and write config, tokenizer and weights to a folder, as transformers saves them."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

    torch.manual_seed(seed)
    lines = texts(scenes, 40_000, seed)
    learned = ByteLevelBPETokenizer()
    learned.train_from_iterator(lines, vocab_size=_VOCABULARY, special_tokens=[_END], show_progress=False)
    learned.save_model(str(folder))
    tokenizer = GPT2Tokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=64)
    tokenizer.save_pretrained(folder)
    end = tokenizer.convert_tokens_to_ids(_END)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=128, n_layer=4, n_head=4,
        bos_token_id=end, eos_token_id=end, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    model = GPT2LMHeadModel(config).to(device).train()
    rows = [[end, *tokenizer.encode(line), end] for line in lines]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps, pct_start=0.1)
    rng = random.Random(seed)
    for step in range(steps):
        chosen = [rng.choice(rows) for _ in range(batch)]
        longest = max(map(len, chosen))
        tokens = torch.tensor([row + [end] * (longest - len(row)) for row in chosen], device=device)
        seen = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in chosen], device=device)
        loss = model(input_ids=tokens, labels=tokens.masked_fill(seen == 0, -100)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            print(f"gpt2 {step + 1}/{steps}: loss {loss.item():.3f}", flush=True)
    model.eval().half().save_pretrained(folder)
    for file in folder.glob("*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()), indent=1, ensure_ascii=False) + "\n")
