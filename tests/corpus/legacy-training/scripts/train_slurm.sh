#!/bin/bash
#SBATCH --job-name=landseg
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --gres=gpu:8
#SBATCH --cpus-per-task=6
#SBATCH --time=24:00:00
#SBATCH --output=logs/%x-%j.out
set -euo pipefail

export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
export NCCL_SOCKET_IFNAME=ib0

srun python -m torch.distributed.launch --use_env \
    --nproc_per_node=8 --nnodes="$SLURM_NNODES" --node_rank="$SLURM_NODEID" \
    --master_addr="$MASTER_ADDR" --master_port="$MASTER_PORT" \
    train.py --amp --data-root "$LANDSEG_DATA" --output "$SCRATCH/landseg"
