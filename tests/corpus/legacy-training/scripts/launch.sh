#!/bin/bash
# Train on all GPUs of the workstation: scripts/launch.sh [GPUS] [further arguments of train.py]
set -e
cd "$(dirname "$0")/.."

GPUS=${1:-4}
shift || true

export OMP_NUM_THREADS=4
export NCCL_DEBUG=WARN
export NCCL_ASYNC_ERROR_HANDLING=1
export CUDA_LAUNCH_BLOCKING=1

pip install -q timm==0.4.12

python -m torch.distributed.launch \
    --nproc_per_node="$GPUS" \
    --master_port="${MASTER_PORT:-29500}" \
    train.py --amp --encoder efficientnet_b3 --syncbn "$@"
