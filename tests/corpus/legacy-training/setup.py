from setuptools import find_packages, setup

setup(
    name="landseg",
    version="0.3.1",
    description="Land-cover segmentation from aerial tiles",
    packages=find_packages(exclude=["tests"]),
    python_requires=">=3.7",
    install_requires=[
        "torch>=1.7",
        "torchvision>=0.8",
        "numpy>=1.20",
        "pillow>=8.2",
        "tqdm",
    ],
    extras_require={
        "export": ["onnx", "onnxruntime"],
        "dev": ["pytest", "flake8"],
    },
)
