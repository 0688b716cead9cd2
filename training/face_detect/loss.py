"""What a wrong answer costs: focal loss on the score, GIoU on boxes, L1 on landmarks."""
import torch
import torch.nn.functional as F

from targets import STRIDES


def decode(raw, stride: int):
    """Map NCHW -> (logit N x h x w, boxes N x h x w x 4 and landmarks N x h x w x 10 in px)."""
    raw = raw.permute(0, 2, 3, 1).float()
    y = (torch.arange(raw.shape[1], device=raw.device) + 0.5) * stride
    x = (torch.arange(raw.shape[2], device=raw.device) + 0.5) * stride
    cell = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    centre = cell + raw[..., 1:3] * stride
    half = raw[..., 3:5].clamp(max=6).exp() * (stride / 2)
    points = (raw[..., 5:].unflatten(-1, (5, 2)) * stride + cell[..., None, :]).flatten(-2)
    return raw[..., 0], torch.cat([centre - half, centre + half], -1), points


def giou(a, b):
    """Generalised IoU (Rezatofighi et al. 2019) of boxes row by row."""
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    return shared / union - (hull - union) / hull


def detection_loss(maps, wanted, landmark_weight: float):
    """(total, parts), per positive cell. Landmark errors count in parts of the face's side."""
    parts = {"score": 0.0, "box": 0.0, "landmark": 0.0}
    for raw, stride, want in zip(maps, STRIDES, wanted):
        logit, boxes, points = decode(raw, stride)
        truth = want[..., 0]
        positive, counted = truth > 0, truth >= 0
        probability = logit.sigmoid()
        surprise = torch.where(positive, 1 - probability, probability)
        weight = torch.where(positive, 0.35, 0.65) * surprise ** 2 * counted
        entropy = F.binary_cross_entropy_with_logits(logit, positive.float(), reduction="none")
        parts["score"] = parts["score"] + (weight * entropy).sum()
        if positive.any():
            face = want[positive][:, 1:]
            side = (face[:, 2:4] - face[:, :2]).prod(1).sqrt()
            parts["box"] = parts["box"] + (1 - giou(boxes[positive], face[:, :4])).sum()
            parts["landmark"] = parts["landmark"] + ((points[positive] - face[:, 4:]).abs() / side[:, None]).mean(1).sum()
    positives = max(sum(int((w[..., 0] > 0).sum()) for w in wanted), 1)
    parts = {name: value / positives for name, value in parts.items()}
    return 3 * parts["score"] + parts["box"] + landmark_weight * parts["landmark"], parts
