//! Pictures to rows of patches.

/// Appends the patches of a picture, row after row of the grid: each is `[3, patch, patch]`, which is the order of
/// the weights of the convolution that it stands for. Pixels beyond the last whole patch are left out.
///
/// `planes` is `[3, height, width]`.
pub(super) fn append_patches(planes: &[f32], height: usize, width: usize, patch: usize, out: &mut Vec<f32>) {
    for top in (0..height / patch).map(|row| row * patch) {
        for left in (0..width / patch).map(|column| column * patch) {
            for plane in planes.chunks_exact(height * width) {
                for y in top..top + patch {
                    out.extend_from_slice(&plane[y * width + left..][..patch]);
                }
            }
        }
    }
}
