"""Training of decoders that write blueprints: LoRA on a language model, merged and packed as GGUF."""
