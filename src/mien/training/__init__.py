"""Training: recipe, batches, augmentation, loop, checkpoint, export."""
