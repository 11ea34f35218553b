//! Sums of products in registers, with the widest fused instructions of the processor.
//!
//! A fused sum rounds once per term, whatever the width of the registers: AVX-512 and AVX2 give the same bits. Where
//! nothing is fused, the last ones may differ.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Numbers that the processor multiplies and adds at once.
///
/// Methods may only be called, inlined, from [`InRegisters::run`], which is compiled for the processor's instructions.
pub(crate) trait Register: Copy {
    /// How many.
    const N: usize;
    /// All the same.
    fn splat(x: f32) -> Self;
    /// The first numbers of a slice, which has as many.
    fn read(from: &[f32]) -> Self;
    /// Writes them to the beginning of a slice, which has as many places.
    fn write(self, to: &mut [f32]);
    /// `self + x y`.
    fn add_product(self, x: Self, y: Self) -> Self;

    /// Two neighbours.
    #[inline(always)]
    fn read_pair(from: &[f32]) -> [Self; 2] {
        [Self::read(from), Self::read(&from[Self::N..])]
    }

    /// Writes two neighbours.
    #[inline(always)]
    fn write_pair(pair: [Self; 2], to: &mut [f32]) {
        pair[0].write(to);
        pair[1].write(&mut to[Self::N..]);
    }
}

/// Work whose sums of products stay in registers.
pub(crate) trait InRegisters: Sized {
    /// Does the work; to be `#[inline(always)]`, since it is compiled for each kind of register.
    fn run<R: Register>(self);
}

/// Does the work with the best registers there are.
#[inline(always)]
pub(crate) fn run(work: impl InRegisters) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f")]
        fn sixteen(work: impl InRegisters) {
            work.run::<__m512>();
        }
        #[target_feature(enable = "avx2,fma")]
        fn eight(work: impl InRegisters) {
            work.run::<__m256>();
        }
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has AVX-512.
            return unsafe { sixteen(work) };
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has both.
            return unsafe { eight(work) };
        }
    }
    work.run::<[f32; 8]>();
}

macro_rules! register {
    ($register:ty, $n:literal, $splat:ident, $read:ident, $write:ident, $add_product:ident) => {
        #[cfg(target_arch = "x86_64")]
        impl Register for $register {
            const N: usize = $n;

            #[inline(always)]
            fn splat(x: f32) -> Self {
                // SAFETY: `run` has found the instructions.
                unsafe { $splat(x) }
            }

            #[inline(always)]
            fn read(from: &[f32]) -> Self {
                let from = &from[..$n];
                // SAFETY: so many numbers lie in the slice, and `run` has found the instructions.
                unsafe { $read(from.as_ptr()) }
            }

            #[inline(always)]
            fn write(self, to: &mut [f32]) {
                let to = &mut to[..$n];
                // SAFETY: so many numbers lie in the slice, and `run` has found the instructions.
                unsafe { $write(to.as_mut_ptr(), self) }
            }

            #[inline(always)]
            fn add_product(self, x: Self, y: Self) -> Self {
                // SAFETY: `run` has found the instructions.
                unsafe { $add_product(x, y, self) }
            }
        }
    };
}

register!(__m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps);
register!(__m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps);

/// For other processors: the compiler chooses the instructions.
impl Register for [f32; 8] {
    const N: usize = 8;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        [x; 8]
    }

    #[inline(always)]
    fn read(from: &[f32]) -> Self {
        std::array::from_fn(|l| from[l])
    }

    #[inline(always)]
    fn write(self, to: &mut [f32]) {
        to[..8].copy_from_slice(&self);
    }

    #[inline(always)]
    fn add_product(self, x: Self, y: Self) -> Self {
        // Without the instruction, a fused sum is a slow call.
        let fused = cfg!(target_arch = "aarch64");
        std::array::from_fn(|l| if fused { x[l].mul_add(y[l], self[l]) } else { self[l] + x[l] * y[l] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `out = x y + out` over whole registers.
    struct Line<'a>(&'a [f32], &'a [f32], &'a mut [f32]);

    impl InRegisters for Line<'_> {
        #[inline(always)]
        fn run<R: Register>(self) {
            let Line(x, y, out) = self;
            for ((x, y), out) in x.chunks(R::N).zip(y.chunks(R::N)).zip(out.chunks_mut(R::N)) {
                R::read(out).add_product(R::read(x), R::read(y)).write(out);
            }
        }
    }

    #[test]
    fn every_kind_of_register_gives_the_fused_bits() {
        let x: Vec<f32> = (0..64).map(|k| (k as f32).sin()).collect();
        let y: Vec<f32> = (0..64).map(|k| (k as f32).cos()).collect();
        let fused: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x.mul_add(*y, *y)).collect();
        let rounded: Vec<f32> = x.iter().zip(&y).map(|(x, y)| y + x * y).collect();
        assert_ne!(fused, rounded);
        let (mut best, mut plain) = (y.clone(), y.clone());
        run(Line(&x, &y, &mut best));
        Line(&x, &y, &mut plain).run::<[f32; 8]>();
        assert_eq!(plain, if cfg!(target_arch = "aarch64") { fused.clone() } else { rounded.clone() });
        #[cfg(target_arch = "x86_64")]
        {
            assert_eq!(
                best,
                if std::arch::is_x86_feature_detected!("fma") { fused.clone() } else { rounded }
            );
            #[target_feature(enable = "avx2,fma")]
            fn eight(line: Line) {
                line.run::<__m256>();
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                let mut eight_wide = y.clone();
                // SAFETY: the processor has both.
                unsafe { eight(Line(&x, &y, &mut eight_wide)) };
                assert_eq!(eight_wide, fused);
            }
        }
    }
}
