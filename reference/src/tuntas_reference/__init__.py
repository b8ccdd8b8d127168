"""What several services read and none owns: regulation profiles, categories, the working calendar."""
