"""The backbones: our own names; any other is looked up among torchvision's classifiers.

Names only, so that a config can be checked without importing torch.
"""

BACKBONES = (
    *("small8", "small16", "small32"),
    *("resnet34_journal", "vgg", "vgg16", "inception_v3"),
    *("resnet18", "resnet34", "resnet50", "resnet101"),
)
