"""The steps that control programs are composed of, where no named strategy fits."""
