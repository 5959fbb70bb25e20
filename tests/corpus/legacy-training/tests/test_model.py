import pytest
import torch

from data.tiles import NUM_BANDS, NUM_CLASSES, collate_tiles
from evaluate import ConfusionMatrix
from models import build_model
from utils.checkpoint import strip_module_prefix


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model("resnet34", NUM_CLASSES, pretrained=False).eval()


@pytest.mark.parametrize("size", [64, 96])
def test_output_has_the_size_of_the_input(model, size):
    with torch.no_grad():
        logits = model(torch.randn(2, NUM_BANDS, size, size))
    assert logits.shape == (2, NUM_CLASSES, size, size)


def test_state_dict_survives_the_prefix(model):
    wrapped = {"module." + key: value for key, value in model.state_dict().items()}
    assert list(strip_module_prefix(wrapped)) == list(model.state_dict())


def test_confusion_matrix_ignores_unlabelled_pixels():
    matrix = ConfusionMatrix(2, "cpu")
    matrix.update(torch.tensor([0, 1, 1, 255]), torch.tensor([0, 1, 0, 1]))
    torch.testing.assert_allclose(matrix.iou(), torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert matrix.accuracy() == pytest.approx(2 / 3)


def test_collate_keeps_text_as_a_list():
    images, names = collate_tiles([(torch.zeros(1), "a"), (torch.ones(1), "b")])
    assert images.shape == (2, 1)
    assert names == ["a", "b"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_half_precision_stays_finite(model):
    with torch.no_grad(), torch.cuda.amp.autocast():
        logits = model.cuda()(torch.randn(1, NUM_BANDS, 64, 64).cuda())
    assert torch.isfinite(logits).all()


def test_gpu_matches_cpu(model):
    sample = torch.randn(1, NUM_BANDS, 64, 64)
    with torch.no_grad():
        expected = model.cpu()(sample)
        got = model.cuda()(sample.cuda())
    torch.testing.assert_allclose(got.cpu(), expected, rtol=1e-3, atol=1e-4)
