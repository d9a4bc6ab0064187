"""Install the shipped checkpoint and example sounds, which lie beside the package, inside it."""

from setuptools import find_packages, setup

SHIPPED = {
    "atomizer.checkpoints": "checkpoints",
    "atomizer.assets": "assets",
    "atomizer.assets.examples": "assets/examples",
}

setup(
    packages=[*find_packages(include=["atomizer*"]), *SHIPPED],
    package_dir=SHIPPED,
    package_data={
        "atomizer": ["py.typed"],
        "atomizer.ui": ["static/*", "static/*/*"],
        "atomizer.checkpoints": ["*"],
        "atomizer.assets": ["*.flac", "README.md"],
        "atomizer.assets.examples": ["*.npz"],
    },
)
