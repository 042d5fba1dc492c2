# /// script
# requires-python = ">=3.10"
# dependencies = ["torch", "numpy", "safetensors"]
# ///
"""The embedded trainer's policy, loss and step in PyTorch: a check of its numbers and a yardstick of its speed.

    python torch_reference.py check DIR      compare losses and gradients with the files of
                                             go test ./trainer/grpo -run WriteTorchCases -torch-cases DIR
    python torch_reference.py bench [--threads 2] [--seconds 10]
                                             steps a second of 16 prompts of 20 tokens x 8 samples x 24 tokens, in eager
                                             mode with a key/value cache and PyTorch's fused AdamW

    python torch_reference.py golden FILE    write small cases of the loss alone, which an ordinary test compares

`check` and `bench` print JSON. `check` fails when a loss or gradient differs by more than 1e-4, relative to the tensor's largest element.
"""

import argparse
import json
import math
import pathlib
import sys
import time

import torch
from safetensors import safe_open

HEAD = 16
EPS = 1e-5


def norm(x, gain):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * gain


def forward(w, layers, ids, cache=None, start=0):
    """Logits of ids (rows x length). cache, a list of (keys, values) a layer, is extended in place when given."""
    rows, length = ids.shape
    dim = w["embed.tokens"].shape[1]
    heads = dim // HEAD
    x = w["embed.tokens"][ids] + w["embed.positions"][start : start + length]
    for i in range(layers):
        p = f"layers.{i}."
        q, k, v = (norm(x, w[p + "attn.norm"]) @ w[p + "attn.qkv"]).view(rows, length, 3, heads, HEAD).permute(2, 0, 3, 1, 4)
        if cache is not None:
            if cache[i] is not None:
                k, v = torch.cat([cache[i][0], k], 2), torch.cat([cache[i][1], v], 2)
            cache[i] = (k, v)
        a = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=length > 1)
        x = x + a.transpose(1, 2).reshape(rows, length, dim) @ w[p + "attn.out"]
        x = x + torch.relu(norm(x, w[p + "mlp.norm"]) @ w[p + "mlp.up"]).square() @ w[p + "mlp.down"]
    return norm(x, w["norm"]) @ w["embed.tokens"].T


def token_stats(w, layers, ids, temperature):
    """Log-probability of every token but the first, and the entropy at its place."""
    logp = torch.log_softmax(forward(w, layers, ids[:, :-1].clamp(min=0)) / temperature, -1)
    entropy = -(logp.exp() * logp).sum(-1)
    return logp.gather(-1, ids[:, 1:].clamp(min=0).unsqueeze(-1)).squeeze(-1), entropy


def grpo_loss(logp, entropy, old, ref, advantage, mask, c):
    ratio = torch.exp(logp - old)
    a = advantage.unsqueeze(1)
    clipped = ratio.clamp(1 - c["epsilon"], 1 + c["epsilon_high"])
    per_token = -torch.minimum(ratio * a, clipped * a)
    kl = torch.exp(ref - logp) - (ref - logp) - 1
    per_token = per_token + c["beta"] * kl - c["entropy_coef"] * entropy
    if c["loss_type"] == "grpo":
        loss = ((per_token * mask).sum(1) / mask.sum(1)).mean()
    elif c["loss_type"] == "dr_grpo":
        loss = (per_token * mask).sum() / (mask.shape[0] * c["limit"])
    else:
        loss = (per_token * mask).sum() / mask.sum()
    hit = ((a > 0) & (ratio > 1 + c["epsilon_high"])) | ((a < 0) & (ratio < 1 - c["epsilon"]))
    return loss, (kl * mask).sum(), (entropy * mask).sum(), (hit * mask).sum()


def check(folder):
    worst, cases = 0.0, {}
    for path in sorted(pathlib.Path(folder).glob("*.safetensors")):
        with safe_open(path, "pt") as f:
            meta = f.metadata()
            t = {k: f.get_tensor(k) for k in f.keys()}
        c = {k: float(meta[k]) for k in ("temperature", "beta", "epsilon", "epsilon_high", "entropy_coef", "limit")}
        c["loss_type"] = meta["loss_type"]
        layers, scale = int(meta["layers"]), float(meta["adapter_scale"])
        part = lambda prefix: {k[len(prefix) :]: v for k, v in t.items() if k.startswith(prefix)}
        weights, trained = part("policy."), part("adapter.")
        if trained:
            for v in trained.values():
                v.requires_grad_()
            for name in [k[:-2] for k in trained if k.endswith(".a")]:
                weights[name] = weights[name] + scale * trained[name + ".a"] @ trained[name + ".b"]
        else:
            trained = weights
            for v in trained.values():
                v.requires_grad_()
        ids, width = t["ids"].long(), int(meta["prompt"])
        mask = (ids[:, 1:] >= 0).float()
        mask[:, : width - 1] = 0
        logp, entropy = token_stats(weights, layers, ids, c["temperature"])
        with torch.no_grad():
            ref, _ = token_stats(part("reference."), layers, ids, c["temperature"])
        got = grpo_loss(logp, entropy, t["old"][:, 1:], ref, t["advantage"], mask, c)
        got[0].backward()
        got = [v.detach() for v in got]
        errors = {}
        for name, mine, theirs in zip(("loss", "kl", "entropy", "clipped"), t["totals"], got):
            errors[name] = abs(float(mine) - float(theirs)) / max(abs(float(theirs)), 1e-12)
        for name, v in trained.items():
            theirs = v.grad.reshape(-1)
            mine = t["grad." + name].reshape(-1)
            errors[name] = float((mine - theirs).abs().max() / theirs.abs().max())
        name = max(errors, key=errors.get)
        worst = max(worst, errors[name])
        cases[path.stem] = {"loss": float(got[0]), "loss_error": errors["loss"], "worst": name, "worst_error": errors[name]}
    ok = bool(cases) and worst <= 1e-4
    print(json.dumps({"torch": torch.__version__, "ok": ok, "worst_error": worst, "cases": cases}, indent=1))
    return 0 if ok else 1


def golden(path):
    """Losses of fixed logits: every loss type, several settings; some ratios are clipped on either side."""
    g = torch.Generator().manual_seed(7)
    lengths, vocab, cases = [3, 1, 4], 5, []
    width = max(lengths)
    for loss_type in ("grpo", "dr_grpo", "dapo"):
        for temperature, low, high, beta, entropy_coef in ((1.0, 0.2, 0.28, 0.0, 0.0), (0.7, 0.1, 0.4, 0.3, 0.05)):
            c = {"loss_type": loss_type, "temperature": temperature, "epsilon": low, "epsilon_high": high, "beta": beta}
            c |= {"entropy_coef": entropy_coef, "limit": 6}
            mask = torch.tensor([[float(i < n) for i in range(width)] for n in lengths])
            logits = torch.randn(len(lengths), width, vocab, generator=g).requires_grad_()
            target = torch.randint(0, vocab, (len(lengths), width), generator=g)
            logp = torch.log_softmax(logits / temperature, -1)
            entropy = -(logp.exp() * logp).sum(-1)
            logp = logp.gather(-1, target.unsqueeze(-1)).squeeze(-1)
            old = (logp + 0.4 * torch.randn(logp.shape, generator=g)).detach()
            ref = (logp + 0.4 * torch.randn(logp.shape, generator=g)).detach()
            advantage = torch.tensor([1.2, -0.7, -0.5])
            loss, kl, h, clipped = grpo_loss(logp, entropy, old, ref, advantage, mask, c)
            loss.backward()
            real = lambda x: [v for row, n in zip(x.tolist(), lengths) for v in row[:n]]
            c |= {"lengths": lengths, "advantage": advantage.tolist(), "logits": real(logits), "target": real(target)}
            c |= {"old": real(old), "ref": real(ref), "loss": loss.item(), "kl": kl.item(), "entropy": h.item()}
            cases.append(c | {"clipped": clipped.item(), "grad": real(logits.grad)})
    short = lambda x: float(f"{x:.8g}") if isinstance(x, float) else [short(v) for v in x] if isinstance(x, list) else x
    text = json.dumps({"torch": torch.__version__, "cases": [{k: short(v) for k, v in c.items()} for c in cases]})
    pathlib.Path(path).write_text(text.replace('{"loss_type"', '\n{"loss_type"') + "\n")
    return 0


def fresh(dim, ff, layers=2, vocab=32, context=48):
    g = torch.Generator().manual_seed(1)
    r = lambda *s, std: (torch.randn(*s, generator=g) * std).requires_grad_()
    w = {"embed.tokens": r(vocab, dim, std=0.1), "embed.positions": r(context, dim, std=0.1), "norm": torch.ones(dim, requires_grad=True)}
    for i in range(layers):
        p = f"layers.{i}."
        for n in ("attn.norm", "mlp.norm"):
            w[p + n] = torch.ones(dim, requires_grad=True)
        for n, a, b in (("attn.qkv", dim, 3 * dim), ("attn.out", dim, dim), ("mlp.up", dim, ff), ("mlp.down", ff, dim)):
            w[p + n] = r(a, b, std=a**-0.5)
    return w


def step(w, layers, opt, prompts, group, new):
    """One GRPO step: sample with a cache whose prompts are run once, then one update; rewards are a cheap stand-in."""
    with torch.no_grad():
        cache = [None] * layers
        forward(w, layers, prompts[:, :-1], cache)
        cache = [(k.repeat_interleave(group, 0), v.repeat_interleave(group, 0)) for k, v in cache]
        ids = prompts.repeat_interleave(group, 0)
        out = [ids]
        last = ids[:, -1:]
        for i in range(new):
            logp = torch.log_softmax(forward(w, layers, last, cache, prompts.shape[1] - 1 + i)[:, -1], -1)
            last = torch.multinomial(logp.exp(), 1)
            out.append(last)
        ids = torch.cat(out, 1)
        reward = (ids[:, -1] % 2).float().view(-1, group)
        advantage = ((reward - reward.mean(1, keepdim=True)) / (reward.std(1, keepdim=True) + 1e-4)).view(-1)
        mask = torch.ones_like(ids[:, 1:], dtype=torch.float)
        mask[:, : prompts.shape[1] - 1] = 0
    c = {"epsilon": 0.2, "epsilon_high": 0.28, "beta": 0.0, "entropy_coef": 0.0, "loss_type": "dapo"}
    logp, entropy = token_stats(w, layers, ids, 1.0)
    loss, *_ = grpo_loss(logp, entropy, logp.detach(), logp.detach(), advantage, mask, c)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
    opt.step()


def bench(threads, seconds):
    torch.set_num_threads(threads)
    out = {"torch": torch.__version__, "threads": threads}
    for name, dim, ff in (("27k", 32, 128), ("104k", 64, 256)):
        w = fresh(dim, ff)
        opt = torch.optim.AdamW(w.values(), lr=0.0, fused=True)
        prompts = torch.randint(3, 32, (16, 20), generator=torch.Generator().manual_seed(2))
        for _ in range(3):
            step(w, 2, opt, prompts, 8, 24)
        n, best, start, cpu = 0, math.inf, time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            before = time.perf_counter()
            step(w, 2, opt, prompts, 8, 24)
            best = min(best, time.perf_counter() - before)
            n += 1
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        out[name] = {"ms_per_step": 1e3 * wall / n, "best_ms_per_step": 1e3 * best, "cpu_ms_per_step": 1e3 * cpu / n, "steps_per_s": n / wall}
    print(json.dumps(out))
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="what", required=True)
    sub.add_parser("check").add_argument("folder")
    b = sub.add_parser("bench")
    b.add_argument("--threads", type=int, default=2)
    b.add_argument("--seconds", type=float, default=10)
    sub.add_parser("golden").add_argument("file")
    a = p.parse_args()
    if a.what == "golden":
        return golden(a.file)
    return check(a.folder) if a.what == "check" else bench(a.threads, a.seconds)


if __name__ == "__main__":
    sys.exit(main())
