//! What a model of pictures does, whatever its architecture.

/// From prepared pictures to rows of features.
pub(crate) trait PictureModel: Send + Sync {
    /// Columns of the features.
    fn outputs(&self) -> usize;
    /// What row stands for a picture.
    fn pooling(&self) -> &'static str;
    /// What a picture counts as when batches are formed.
    fn tokens(&self) -> usize;
    /// Appends a picture `[3, height, width]` of the model's size to a batch.
    fn append(&self, planes: &[f32], batch: &mut Vec<f32>);
    /// Features `[pictures, outputs]` of the pictures that were appended to the batch.
    fn forward(&self, batch: &[f32]) -> Vec<f32>;
}
