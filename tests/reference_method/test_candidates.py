"""Stage 1: DINO's keys against timm's own forward pass, clustering against naive versions."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from PIL import Image

from reference_method.candidates import DinoKeys, segment
from reference_method.clustering import combined_variance, in_order
from zgbench.errors import ModelUnavailable, UsageError


def _dino(**changes):
    """The paper's architecture with random weights; norms and biases are made to matter."""
    torch.manual_seed(0)
    model = timm.create_model("vit_small_patch8_224.dino", pretrained=False, num_classes=0, **changes).eval()
    with torch.no_grad():
        for value in model.parameters():
            if value.ndim == 1:
                value.add_(0.1 * torch.randn_like(value))
        model.pos_embed.add_(0.1 * torch.randn_like(model.pos_embed))
    return model


@pytest.fixture(scope="module")
def small():
    """At full size."""
    return _dino()


def _hooked(model, tokens=None, pixels=None):
    """Keys [tokens, width] of the last block as timm's own qkv layer gives them, head by head side by side."""
    found = []
    hook = model.blocks[-1].attn.qkv.register_forward_hook(lambda _, __, output: found.append(output))
    with torch.inference_mode():
        if pixels is not None:
            model.forward_features(pixels)
        else:
            x = tokens
            for block in model.blocks:
                x = block(x)
    hook.remove()
    return found[0][0].chunk(3, dim=-1)[1][1:]


def _picture(side=224, seed=3):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def test_keys_at_the_patch_size_are_timms_own(small):
    dino = DinoKeys(small, stride=8)
    pixels = dino.pixels(_picture())
    assert dino.side == 28
    torch.testing.assert_close(dino(pixels), _hooked(small, pixels=pixels).reshape(28, 28, 384), atol=1e-5, rtol=1e-5)


def test_keys_at_stride_two_are_those_of_the_overlapping_patches():
    # half the side and a third of the blocks: 2,809 tokens in place of 11,881, which take a minute and a half
    half = _dino(img_size=112, depth=4)
    dino = DinoKeys(half, stride=2, image_size=112)
    pixels = dino.pixels(_picture())
    # directly: every patch cut out by hand and projected by a matrix product
    patches = pixels[0].unfold(1, 8, 2).unfold(2, 8, 2)  # [3, 53, 53, 8, 8]
    assert patches.shape[1:3] == (53, 53) and dino.side == 53
    weight, bias = half.patch_embed.proj.weight, half.patch_embed.proj.bias
    with torch.inference_mode():
        x = patches.permute(1, 2, 0, 3, 4).reshape(53 * 53, -1) @ weight.flatten(1).T + bias
        grid = half.pos_embed[0, 1:].T.reshape(1, 384, 14, 14)
        x = x + F.interpolate(grid, (53, 53), mode="bicubic")[0].flatten(1).T
        tokens = torch.cat([half.cls_token[0] + half.pos_embed[0, :1], x])[None]
        expected = _hooked(half, tokens=tokens).reshape(53, 53, 384)
    torch.testing.assert_close(dino(pixels), expected, atol=1e-4, rtol=1e-4)


def test_keys_stand_where_their_patches_are(small):
    """Stride 2 passes through stride 8's patches: without other context (one block, attention off) they are equal."""
    one = timm.create_model("vit_small_patch8_224.dino", pretrained=False, num_classes=0, depth=1).eval()
    with torch.no_grad():
        one.pos_embed.zero_()
    fine, coarse = DinoKeys(one, stride=2), DinoKeys(one, stride=8)
    pixels = fine.pixels(_picture())
    torch.testing.assert_close(fine(pixels)[::4, ::4], coarse(pixels), atol=1e-5, rtol=1e-5)


def test_registers_and_embeddings_for_patches_only():
    """As in DINOv2 with registers: prefix tokens that have no position."""
    torch.manual_seed(1)
    model = timm.create_model(
        "vit_tiny_patch16_224", pretrained=False, img_size=32, patch_size=8, embed_dim=32, depth=3, num_heads=2,
        num_classes=0, reg_tokens=4, no_embed_class=True,
    ).eval()  # fmt: skip
    with torch.no_grad():
        model.reg_token.normal_()
    dino = DinoKeys(model, stride=8, image_size=32)
    pixels = dino.pixels(_picture(32))
    found = []
    hook = model.blocks[-1].attn.qkv.register_forward_hook(lambda _, __, output: found.append(output))
    with torch.inference_mode():
        model.forward_features(pixels)
    hook.remove()
    expected = found[0][0].chunk(3, dim=-1)[1][5:].reshape(4, 4, 32)
    torch.testing.assert_close(dino(pixels), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("stride", [0, 9])
def test_stride_out_of_range(small, stride):
    with pytest.raises(UsageError, match=r"stride in 1\.\.8"):
        DinoKeys(small, stride=stride)


def test_no_vision_transformer():
    with pytest.raises(UsageError, match="vision transformer"):
        DinoKeys(timm.create_model("resnet18", pretrained=False))


def _naive(features, clusters, criterion):
    """O(n³) and from the definitions: every union's points are looked at."""
    groups = [[k] for k in range(len(features))]

    def squares(group):
        points = features[group]
        return ((points - points.mean(axis=0)) ** 2).sum()

    def cost(a, b):
        if criterion == "variance":
            return squares(a + b) / len(a + b)
        return squares(a + b) - squares(a) - squares(b)

    while len(groups) > clusters:
        pairs = [(cost(a, b), i, j) for i, a in enumerate(groups) for j, b in enumerate(groups) if i < j]
        _, i, j = min(pairs)
        groups[i] += groups.pop(j)
    owner = np.empty(len(features), dtype=int)
    for number, group in enumerate(groups):
        owner[group] = number
    return in_order(owner)


@pytest.mark.parametrize("seed", range(20))
def test_clustering_equals_the_naive_one(seed):
    rng = np.random.default_rng(seed)
    n, clusters = int(rng.integers(2, 40)), int(rng.integers(1, 6))
    features = rng.normal(size=(n, 3)) * rng.uniform(0.1, 3, size=(n, 1)) + rng.integers(0, 3, size=(n, 1))
    np.testing.assert_array_equal(combined_variance(features, min(clusters, n)), _naive(features, clusters, "variance"))
    on_device = combined_variance(torch.from_numpy(features), min(clusters, n))  # as on a GPU
    np.testing.assert_array_equal(on_device, _naive(features, clusters, "variance"))


def test_the_criterion_is_not_wards():
    """A big tight cluster takes up a near point before two far singles are joined: Ward does it the other way."""
    features = np.array([[0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [1.0], [3.0], [3.9]])
    assert combined_variance(features, 3).tolist() == _naive(features, 3, "variance").tolist() == [0] * 7 + [1, 2]
    assert _naive(features, 3, "ward").tolist() == [0] * 6 + [1, 2, 2]


@pytest.mark.parametrize("criterion", ["variance", "ward"])
@pytest.mark.parametrize("seed", range(5))
def test_segments_and_tree_equal_the_naive_ones(criterion, seed):
    rng = np.random.default_rng(seed)
    keys = rng.normal(size=(6, 6, 4)) + 4 * rng.integers(0, 2, size=(6, 6, 1))
    found = segment(torch.tensor(keys), (12, 12), patch=2, stride=2, n=8, cosine=0.7, criterion=criterion)
    owner = _naive(keys.reshape(-1, 4).astype(np.float32).astype(float), 8, criterion)
    groups = [np.flatnonzero(owner == k) for k in range(8)]
    features = keys.reshape(-1, 4).astype(np.float32)
    while True:  # the cosine merging
        means = [features[g].mean(axis=0) for g in groups]
        cosines = {
            (i, j): means[i] @ means[j] / np.linalg.norm(means[i]) / np.linalg.norm(means[j])
            for i in range(len(groups)) for j in range(i + 1, len(groups))
        }  # fmt: skip
        (i, j), best = max(cosines.items(), key=lambda item: item[1])
        if best < 0.7:
            break
        groups[i] = np.concatenate([groups[i], groups.pop(j)])
    expected = np.empty(36, dtype=int)
    for number, group in enumerate(groups):
        expected[group] = number
    np.testing.assert_array_equal(found.label_map, expected.reshape(6, 6).repeat(2, 0).repeat(2, 1))
    assert len(groups) == len(found.tree) + 1 >= 2
    nodes = dict(enumerate(list(g) for g in groups))
    for new, (a, b) in enumerate(found.tree, start=len(groups)):
        costs = {}
        for i in nodes:
            for j in nodes:
                if i < j:

                    def squares(g):
                        return ((features[g] - features[g].mean(axis=0)) ** 2).sum()

                    union = squares(nodes[i] + nodes[j])
                    costs[i, j] = union / len(nodes[i] + nodes[j]) if criterion == "variance" else union - squares(nodes[i]) - squares(nodes[j])  # fmt: skip
        assert (a, b) == min(costs, key=costs.__getitem__)
        nodes[new] = nodes.pop(a) + nodes.pop(b)
    assert len(nodes) == 1


def test_every_pixel_belongs_to_the_nearest_patch():
    """Tokens 0 … 4 along a line of 16 pixels, patches of 8 at stride 2: their centres lie at 4, 6, 8, 10, 12."""
    keys = torch.eye(5)[None].repeat(5, 1, 1)
    found = segment(keys, (16, 16), patch=8, stride=2, n=25, cosine=2.0)
    row = found.label_map[0]
    # pixel centres .5 … 15.5; 5 lies midway between 4 and 6
    assert [len(set(row[a:b])) for a, b in ((0, 5), (5, 7), (7, 9), (9, 11), (11, 16))] == [1] * 5
    assert len(set(row)) == 5


def test_sizes_other_than_the_input():
    keys = torch.randn(12, 12, 8, generator=torch.Generator().manual_seed(0))
    for size in ((1, 1), (1, 500), (700, 3), (37, 53)):
        found = segment(keys, size, patch=8, stride=2, n=6)
        assert found.label_map.shape == size
        assert sorted(np.unique(found.label_map)) == list(range(len(found.tree) + 1))
        masks = found.masks()
        assert (masks.sum(axis=0) == 1).all() and masks.any(axis=(1, 2)).all()


def test_one_segment_of_a_plain_picture():
    found = segment(torch.ones(9, 9, 4), (20, 20), patch=4, stride=2)
    assert found.tree == () and not found.label_map.any()


@pytest.mark.parametrize("options", [{"n": 0}, {"criterion": "single"}, {"joining": "cousins"}])
def test_impossible_settings(options):
    with pytest.raises(UsageError, match="candidates: expected n ≥ 1 and criterion"):
        segment(torch.ones(3, 3, 2), (6, 6), patch=2, stride=2, **options)


# --- as the released code does it ------------------------------------------------------------------------------------


def test_the_photos_proportions_can_be_kept(small):
    """A photo of 500 × 335 becomes 334 × 224 pixels and so 109 × 164 tokens."""
    dino = DinoKeys(small, keep_aspect=True, resize_filter="lanczos")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (335, 500, 3), dtype=np.uint8))
    assert dino.pixels(photo).shape == (1, 3, 224, 334)
    assert dino.pixels(photo.transpose(Image.Transpose.ROTATE_90)).shape == (1, 3, 334, 224)
    assert dino.pixels(photo.resize((900, 90))).shape == (1, 3, 224, 560)
    wide = Image.fromarray(np.asarray(photo)[:40, :60])
    coarse = DinoKeys(small, stride=8, image_size=32, keep_aspect=True)
    assert coarse(coarse.pixels(wide)).shape == (4, 6, 384)
    torch.testing.assert_close(
        coarse(coarse.pixels(wide))[2, 5], _hooked_at(small, coarse.pixels(wide), (4, 6))[2, 5], atol=1e-4, rtol=1e-4
    )


def _hooked_at(model, pixels, grid):
    """Keys at the patch size of an input that is not square, from timm's own layers."""
    with torch.inference_mode():
        x = model.patch_embed.proj(pixels).flatten(2).transpose(1, 2)
        positions = model.pos_embed[0, 1:].T.reshape(1, 384, 28, 28)
        x = x + F.interpolate(positions, grid, mode="bicubic")[0].flatten(1).T
        tokens = torch.cat([model.cls_token[0] + model.pos_embed[0, :1], x[0]])[None]
        return _hooked(model, tokens=tokens).reshape(*grid, 384)


def _grouped(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(6, 6, 4)) + 4 * rng.integers(0, 2, size=(6, 6, 4))


def test_normalised_keys_are_clustered_by_direction():
    keys = _grouped(0)
    scaled = torch.tensor(keys * np.random.default_rng(1).uniform(0.1, 9, size=(6, 6, 1)))
    unit = torch.tensor(keys / np.linalg.norm(keys, axis=-1, keepdims=True))
    how = {"patch": 2, "stride": 2, "n": 6, "criterion": "ward"}
    found, expected = segment(scaled, (12, 12), normalise=True, **how), segment(unit, (12, 12), **how)
    np.testing.assert_array_equal(found.label_map, expected.label_map)
    assert found.tree == expected.tree
    assert (segment(scaled, (12, 12), **how).label_map != found.label_map).any()


@pytest.mark.parametrize("seed", range(4))
def test_siblings_are_taken_apart_from_the_root_down(seed):
    keys = _grouped(seed)
    features = keys.reshape(-1, 4).astype(np.float32)
    found = segment(torch.tensor(keys), (6, 6), patch=1, stride=1, n=8, cosine=0.95, criterion="ward", joining="siblings")  # fmt: skip
    nodes = {k: np.flatnonzero(_naive(features, 8, "ward") == k) for k in range(8)}
    children = {}
    while len(nodes) > 1:

        def growth(pair):
            def squares(points):
                return ((points - points.mean(axis=0)) ** 2).sum()

            a, b = (features[nodes[k]] for k in pair)
            return squares(np.concatenate([a, b])) - squares(a) - squares(b)

        a, b = min(((i, j) for i in nodes for j in nodes if i < j), key=growth)
        new = 8 + len(children)
        children[new] = (nodes[a], nodes[b], a, b)
        nodes[new] = np.concatenate([nodes.pop(a), nodes.pop(b)])

    def leaves(node, points, root=False):
        if node not in children:
            return [points]
        first, second, a, b = children[node]
        means = features[first].mean(axis=0), features[second].mean(axis=0)
        if not root and means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1]) >= 0.95:
            return [points]
        return leaves(a, first) + leaves(b, second)

    (root,) = nodes
    expected = {frozenset(points.tolist()) for points in leaves(root, nodes[root], root=True)}
    labels = found.label_map.ravel()
    assert {frozenset(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels)} == expected
    assert 2 <= len(expected) == len(found.tree) + 1
    # the tree is the one above: every node of it is one of the dendrogram's
    sets = [frozenset(np.flatnonzero(labels == k).tolist()) for k in range(len(expected))]
    for a, b in found.tree:
        sets.append(sets[a] | sets[b])
        assert any(sets[-1] == frozenset(np.concatenate(c[:2]).tolist()) for c in children.values())


def test_features_can_go_to_the_nearest_mean():
    keys = _grouped(3)
    how = {"patch": 1, "stride": 1, "n": 5, "cosine": 2.0}
    members = segment(torch.tensor(keys), (6, 6), **how)
    found = segment(torch.tensor(keys), (6, 6), nearest=True, **how)
    features = keys.reshape(-1, 4).astype(np.float32)
    means = np.stack([features[members.label_map.ravel() == k].mean(axis=0) for k in range(5)])
    expected = ((features[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(found.label_map.ravel(), expected)
    assert (found.label_map != members.label_map).any() and found.tree == members.tree


def test_a_segment_that_a_refinement_leaves_empty_is_gone_from_the_tree():
    """Leaves 0 … 3 with ((0, 1), (2, 3)) or the like above them: without leaf 1 its sibling stands for both."""
    keys = torch.tensor([[[0.0, 0.1], [0.0, 1.0], [9.0, 0.0], [9.0, 1.0]]])
    before = segment(keys, (1, 8), patch=1, stride=1, n=4, cosine=2.0)
    assert before.tree == ((0, 1), (2, 3), (4, 5))
    after = segment(
        keys, (1, 8), patch=1, stride=1, n=4, cosine=2.0,
        refine=lambda distances: np.where(distances.argmin(axis=2) == 1, 0, distances.argmin(axis=2)),
    )  # fmt: skip
    assert after.label_map.tolist() == [[0, 0, 0, 0, 1, 1, 2, 2]] and after.tree == ((1, 2), (0, 3))


def test_a_dense_crf_follows_the_picture():
    pytest.importorskip("pydensecrf", reason="needs pydensecrf2, which is built from source")
    from reference_method.crf import refined

    rng = np.random.default_rng(0)
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, 27:] = (200, 180, 40)
    distances = rng.uniform(0, 0.4, size=(10, 15, 3)).astype(np.float32)
    distances[:, :7, 0] -= 0.3
    distances[:, 7:, 1] -= 0.3
    before = distances.argmin(axis=2).repeat(4, 0).repeat(4, 1)
    found = refined(distances, Image.fromarray(picture))
    truth = np.broadcast_to(np.arange(60) >= 27, (40, 60)).astype(int)
    assert (before == truth).mean() < 0.95 < 0.99 < (found == truth).mean()


def test_what_a_dense_crf_needs_is_said(monkeypatch):
    import sys

    from reference_method.crf import refined

    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    with pytest.raises(ModelUnavailable, match=r"pip install pydensecrf2.*assignment=nearest"):
        refined(np.zeros((2, 2, 2), np.float32), Image.new("RGB", (4, 4)))
