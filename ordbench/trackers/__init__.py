"""Where runs are logged besides their records: TensorBoard, MLflow, Weights & Biases, trackio."""
