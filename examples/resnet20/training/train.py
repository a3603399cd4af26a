#!/usr/bin/env python3
"""Train a ResNet-20 for CIFAR-10 whose 19 activations are quadratic polynomials.

A pretrained network with ReLU (ONNX, batch normalisation folded) is the
starting point and the teacher.  The student has the same layers, but

  * every ReLU becomes  y = a x^2 + b x + c  with ONE a, b, c per layer,
    initialised by least squares on the values that the layer reads in the
    pretrained network, and blended in over the first epochs;
  * during training each convolution is followed by batch normalisation, which
    starts as the identity and is folded back into the convolution at export;
  * the loss is distillation (logits and stage outputs of the teacher on the
    same augmented image), some cross entropy, and a penalty on activation
    inputs that stray far from the layer's typical range.

README.md says which data it needs.

    python train.py --data DIR --pretrained resnet20-relu.onnx --out DIR
"""
import argparse
import datetime
import json
import os
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F

from data import PAD, augment, load_data, normalise, read_binary
from export import export, measure_ranges, run_onnx
from network import (Quad, ResNet20, accuracy, folded_copy, load_teacher, make_student, predict, recalibrate,
                     stage_outputs)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--data', required=True, help='folder with the data files')
    p.add_argument('--pretrained', required=True, help='ResNet-20 with ReLU, ONNX')
    p.add_argument('--out', required=True, help='folder for checkpoints and results')
    p.add_argument('--epochs', type=int, default=11)
    p.add_argument('--minutes', type=float, default=0,
                   help='anneal and end by the clock instead of --epochs (not reproducible)')
    p.add_argument('--blend-epochs', type=float, default=1, help='epochs from ReLU to quadratic')
    p.add_argument('--batch', type=int, default=128)
    p.add_argument('--lr', type=float, default=1.5e-3)
    p.add_argument('--weight-decay', type=float, default=0.02)
    p.add_argument('--temperature', type=float, default=3.0)
    p.add_argument('--hard', type=float, default=0.1, help='weight of the cross entropy with the labels')
    p.add_argument('--feature', type=float, default=0.5, help='weight of the match of stage outputs')
    p.add_argument('--range-start', type=float, default=1e-3, help='weight of the range penalty at first')
    p.add_argument('--range', type=float, default=1e-1, help='and from 60 %% of the training on')
    p.add_argument('--bound', type=float, default=4.0, help='range bound in deviations of the layer')
    p.add_argument('--exact-repeat', type=int, default=3, help='times per epoch of each exact image')
    p.add_argument('--heldout', type=int, default=1000)
    p.add_argument('--restore-epochs', type=int, default=32)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--workers', type=int, default=2, help='processes of one thread each')
    p.add_argument('--max-steps', type=int, default=0, help='stop early, for a speed test')
    return p.parse_args()


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(args.seed)
    load_data(args)                      # leaves the cache for the workers
    meeting = os.path.join(os.path.abspath(args.out), f'meeting-{os.getpid()}')
    mp.spawn(worker, (args, meeting), nprocs=args.workers)
    if os.path.exists(meeting):
        os.remove(meeting)


def make_optimizer(student, args):
    quads = [m for _, m in student.activations()]
    scalars = [v for m in quads for v in (m.a, m.b, m.c)]
    matrices = [v for v in student.parameters() if v.dim() > 1]
    vectors = [v for v in student.parameters() if v.dim() == 1]
    optimizer = torch.optim.AdamW([
        {'params': matrices, 'lr': args.lr, 'weight_decay': args.weight_decay},
        {'params': vectors, 'lr': args.lr, 'weight_decay': 0.0},
        {'params': scalars, 'lr': args.lr * 0.1, 'weight_decay': 0.0}], betas=(0.9, 0.99))
    for group in optimizer.param_groups:
        group['initial_lr'] = group['lr']
    return optimizer


def set_rate(optimizer, done, step, warm=200):
    """Warm-up, then a cosine; done: share of the training that lies behind."""
    factor = min((step + 1) / warm, 0.5 * (1 + np.cos(np.pi * min(done, 1.0))) + 1e-3)
    for group in optimizer.param_groups:
        group['lr'] = group['initial_lr'] * factor


def losses(student, teacher, batch, blend, args):
    """Total loss and its parts; teacher and student on the same images."""
    x, y = batch
    t_logits, t_features = teacher(x)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits, features = student(x, blend)
    logits, tau = logits.float(), args.temperature
    soft = F.kl_div(F.log_softmax(logits / tau, 1), F.softmax(t_logits / tau, 1),
                    reduction='batchmean') * tau ** 2
    hard = F.cross_entropy(logits, y)
    feature = sum((f - t.to(f.dtype, memory_format=torch.channels_last)).square().mean(dtype=torch.float32)
                  / t.square().mean() for f, t in zip(features, t_features))
    loss = soft + args.hard * hard + args.feature * feature
    return loss, torch.stack([soft.detach(), hard.detach(), feature.detach()])


def judge(student, padded, held_x, held_y):
    """The better of two candidates on held-out images: batch normalisation with the
    running statistics of training, or with averages over more images (training
    goes on with its own).  Returns figures, network, its logits."""
    keep = {k: v.clone() for k, v in student.state_dict().items()}
    candidates = [folded_copy(student)]
    recalibrate(student, padded)
    candidates.append(folded_copy(student))
    student.load_state_dict(keep)
    logits = [predict(net, held_x) for net in candidates]
    scores = [accuracy(v, held_y) for v in logits]
    chosen = scores.index(max(scores))
    loss = F.cross_entropy(logits[chosen], held_y).item()
    row = {'heldout': scores[chosen], 'heldoutRunning': scores[0], 'heldoutRecalibrated': scores[1],
           'heldoutLoss': loss if np.isfinite(loss) else None}     # an image that blew up; NaN is not JSON
    return row, candidates[chosen], logits[chosen]


def final_figures(args, teacher, held_x, held_y):
    """The only use of the test images."""
    net = ResNet20(norm=False, act=lambda: Quad(0.0))
    net.load_state_dict(torch.load(os.path.join(args.out, 'best.pt')))
    net.eval()
    test_x, test_y = (torch.from_numpy(v) for v in read_binary(os.path.join(args.data, 'test_batch.bin.gz')))
    exact_all = torch.from_numpy(read_binary(os.path.join(args.data, 'data_batch_1.bin.gz'))[0])
    logits = predict(net, test_x)
    from_onnx = run_onnx(os.path.join(args.out, 'resnet20-quadratic.onnx'), test_x)
    teacher_test = predict(teacher, test_x)
    summary = {
        'test': accuracy(from_onnx, test_y), 'testImages': len(test_y),
        'heldout': accuracy(predict(net, held_x), held_y),
        'teacherTest': accuracy(teacher_test, test_y),
        'teacherHeldout': accuracy(predict(teacher, held_x), held_y),
        'agreesWithTeacherOnTest': accuracy(from_onnx, teacher_test.argmax(1)),
        'onnxAgainstTorchMaxDifference': (logits - from_onnx).abs().max().item(),
        'logitsMaxAbsolute': from_onnx.abs().max().item()}
    images = torch.cat([exact_all, test_x])
    with open(os.path.join(args.out, 'ranges.json'), 'w') as f:
        json.dump({'summary': summary, 'activations': measure_ranges(net, images),
                   'teacherActivations': measure_ranges(teacher, images)}, f, indent=2)
    print(json.dumps(summary, indent=2))


def worker(rank, args, meeting):
    """One of the processes that train on equal parts of each batch.

    (Processes of one thread each are much faster here than one with threads.)"""
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method='file://' + meeting, rank=rank, world_size=args.workers,
                            timeout=datetime.timedelta(hours=2))
    torch.manual_seed(args.seed)
    part, parent = args.batch // args.workers, os.getppid()

    def average(tensors):
        flat = torch.cat([v.flatten() for v in tensors])
        dist.all_reduce(flat)
        flat /= args.workers
        for v, w in zip(tensors, flat.split([v.numel() for v in tensors])):
            v.copy_(w.view_as(v))

    def say(text):
        if rank == 0:
            print(text, flush=True)

    (train_x, train_y), (held_x, held_y), exact_x = load_data(args)
    padded = F.pad(torch.from_numpy(train_x), (0, 0, PAD, PAD, PAD, PAD))
    train_y = torch.from_numpy(train_y)
    held_x, held_y, exact_x = torch.from_numpy(held_x), torch.from_numpy(held_y), torch.from_numpy(exact_x)
    say(f'{len(train_x)} images per epoch, {len(held_x)} held out')

    teacher = load_teacher(args.pretrained).to(memory_format=torch.channels_last)
    student = make_student(teacher, normalise(exact_x[:300]), args.bound).to(memory_format=torch.channels_last)
    fast_teacher = stage_outputs(args.pretrained, 1)
    quads = [m for _, m in student.activations()]
    optimizer = make_optimizer(student, args)
    steps = len(train_x) // args.batch
    total = steps * args.epochs

    state_path = os.path.join(args.out, 'checkpoint.pt')
    model_path = os.path.join(args.out, 'resnet20-quadratic.onnx')
    history, start, best = [], 0, -1.0
    if os.path.exists(state_path):
        z = torch.load(state_path, weights_only=False)
        student.load_state_dict(z['student'])
        optimizer.load_state_dict(z['optimizer'])
        history, start, best = z['history'], z['epoch'], z['best']
        say(f'resumed after epoch {start}')

    done = first = start * steps / total
    epoch, opening = start, time.time()
    while done < 1:
        student.train()
        began, seen, sums = time.time(), 0, torch.zeros(4)
        # The same order in all workers, other crops in each.
        torch.manual_seed(args.seed * 1000003 + epoch)
        order = torch.randperm(len(train_x))
        torch.manual_seed((args.seed * 1000003 + epoch) * 64 + rank + 1)
        for i in range(steps):
            index = order[i * args.batch + rank * part:][:part]
            done = (epoch * steps + i + 1) / total
            if args.minutes:               # the same clock in all workers
                clock = torch.tensor([time.time() - opening])
                average([clock])
                done = first + (1 - first) * clock.item() / (60 * args.minutes)
            set_rate(optimizer, done, epoch * steps + i)
            for m in quads:
                m.penalty = args.range_start * (args.range / args.range_start) ** min(1.0, done / 0.6)
            t = (epoch * steps + i) / max(1.0, args.blend_epochs * steps)
            blend = t if t < 1 else None
            if os.getppid() != parent:     # main was ended: so does this
                os._exit(1)
            batch = normalise(augment(padded, index)), train_y[index]
            loss, parts = losses(student, fast_teacher, batch, blend, args)
            optimizer.zero_grad()
            loss.backward()
            average([v.grad for v in student.parameters()])
            norm = nn.utils.clip_grad_norm_(student.parameters(), 2.0)
            if torch.isfinite(norm):
                optimizer.step()
            sums[:3] += parts
            sums[3] += sum(m.excess[0] / m.s ** 2 for m in quads) / part
            seen += 1
            if seen % 50 == 0 and (epoch == start or args.max_steps):
                say(f'  {seen}: {[round(v, 4) for v in (sums / seen).tolist()]} '
                    f'{seen * args.batch / (time.time() - began):.0f} images/s')
            if args.max_steps and seen >= args.max_steps:
                return
            if done >= 1:
                break
        average([v for n, v in student.named_buffers() if 'running' in n] + [sums])
        epoch += 1
        if rank:
            dist.barrier()
            continue
        figures, net, logits = judge(student, padded, held_x, held_y)
        row = {'epoch': epoch, 'images': seen * args.batch,
               **dict(zip(('soft', 'hard', 'feature', 'excess'), (sums / seen).tolist())),
               **figures, 'seconds': time.time() - began}
        history.append(row)
        # The blend is over before an epoch can be chosen: the export has no ReLU.
        if epoch >= args.blend_epochs and row['heldout'] >= best and logits.abs().max() < 100:
            best = row['heldout']
            export(net, model_path)
            torch.save(net.state_dict(), os.path.join(args.out, 'best.pt'))
        print(json.dumps(row), flush=True)
        with open(os.path.join(args.out, 'history.json'), 'w') as f:
            json.dump(history, f, indent=2)
        torch.save({'student': student.state_dict(), 'optimizer': optimizer.state_dict(),
                    'history': history, 'epoch': epoch, 'best': best}, state_path + '.new')
        os.replace(state_path + '.new', state_path)
        dist.barrier()

    if rank == 0:
        final_figures(args, teacher, held_x, held_y)


if __name__ == '__main__':
    main()
