//! Memory of large tables, kept from one step to the next.
//!
//! A training step makes the same tables again and again. When a table of an operation is dropped, its buffer is kept on a
//! shelf for the next operation that needs one of that size. This saves the allocation, the page faults, and zeros that
//! would be overwritten at once. The shelf holds at most one and a half times the most that was in use at one time.

use burn::tensor::Bytes;
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty};
use equipoise_kernels::tables;
use std::collections::BTreeMap;
use std::mem::{MaybeUninit, take};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter buffers come from the allocator, which is quick with them.
const SMALLEST: usize = 1 << 14;

static SHELF: Mutex<Shelf> = Mutex::new(Shelf::empty());

/// Idle buffers by length, and totals over all buffers.
struct Shelf {
    idle: BTreeMap<usize, IdleBuffers>,
    counts: BufferCounts,
    /// Numbers in idle buffers, in buffers in use, and most in use at one time.
    rest: usize,
    used: usize,
    most: usize,
}

/// Idle buffers of one length, and how many buffers had been requested when one of them was last lent.
struct IdleBuffers {
    buffers: Vec<Vec<f32>>,
    last: u64,
}

impl Shelf {
    const fn empty() -> Shelf {
        let counts = BufferCounts { asked: 0, allocated: 0 };
        Shelf { idle: BTreeMap::new(), counts, rest: 0, used: 0, most: 0 }
    }

    /// A buffer of this class, or the shortest that is up to half as long again.
    fn lend(&mut self, class: usize) -> Option<Vec<f32>> {
        self.counts.asked += 1;
        let fitting =
            self.idle.range_mut(class..=class + class / 2).find(|(_, idle)| !idle.buffers.is_empty());
        let found = fitting.and_then(|(_, idle)| {
            idle.last = self.counts.asked;
            idle.buffers.pop()
        });
        let length = found.as_ref().map_or(class, Vec::len);
        match found {
            Some(_) => self.rest -= length,
            None => self.counts.allocated += 1,
        }
        self.used += length;
        self.most = self.most.max(self.used);
        found
    }

    /// Keeps a buffer, and returns those that have not been lent for longest where there is too little room for all.
    fn take_back(&mut self, whole: Vec<f32>) -> Vec<Vec<f32>> {
        let length = whole.len();
        self.used -= length;
        self.rest += length;
        let now = self.counts.asked;
        self.idle.entry(length).or_insert(IdleBuffers { buffers: Vec::new(), last: now }).buffers.push(whole);
        let mut surplus = Vec::new();
        while self.rest > self.most + self.most / 2 {
            let kept = self.idle.values_mut().filter(|idle| !idle.buffers.is_empty());
            let oldest = kept.min_by_key(|idle| idle.last).and_then(|idle| idle.buffers.pop());
            let Some(oldest) = oldest else { break };
            self.rest -= oldest.len();
            surplus.push(oldest);
        }
        surplus
    }
}

/// How many large buffers this process requested, and how many of them had to be allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferCounts {
    /// Large buffers requested.
    pub asked: u64,
    /// Those that had to be allocated.
    pub allocated: u64,
}

/// The counts so far, over all threads.
pub fn counts() -> BufferCounts {
    shelf().counts
}

fn shelf() -> MutexGuard<'static, Shelf> {
    // Nothing panics between two statements that change it.
    SHELF.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers to be overwritten, on their way into a tensor.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// As long as its class; emptied only when dropped.
    whole: Vec<f32>,
    length: usize,
}

/// `length` numbers of arbitrary values: NaN in debug builds, so that reading one shows.
pub(crate) fn any(length: usize) -> Buffer {
    let mut buffer = Buffer { whole: obtain(length), length };
    if cfg!(debug_assertions) {
        buffer.fill(f32::NAN);
    }
    buffer
}

/// `length` zeros.
pub(crate) fn zeros(length: usize) -> Buffer {
    let mut buffer = Buffer { whole: obtain(length), length };
    tables::zero(&mut buffer);
    buffer
}

fn obtain(length: usize) -> Vec<f32> {
    if length < SMALLEST {
        return vec![0.0; length];
    }
    let class = class(length);
    let found = shelf().lend(class);
    found.unwrap_or_else(|| vec![0.0; class])
}

/// The length that a buffer of at least `length` has: one of eight between two powers of two, so that tables of about one
/// size, as the batches of an epoch make them, share their buffers.
fn class(length: usize) -> usize {
    length.next_multiple_of((length.next_power_of_two() / 16).max(1))
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let whole = take(&mut self.whole);
        if whole.len() >= SMALLEST {
            // Memory goes back to the allocator after the lock.
            let _surplus = shelf().take_back(whole);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.whole[..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.whole[..self.length]
    }
}

impl From<Buffer> for Bytes {
    fn from(buffer: Buffer) -> Bytes {
        let length = size_of::<f32>() * buffer.length;
        // SAFETY: all numbers of a buffer have values from the start, and `length` bytes are not more than it holds.
        unsafe { Bytes::from_controller(Box::new(buffer), length) }
    }
}

impl AllocationController for Buffer {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let bytes = size_of::<f32>() * self.length;
        // SAFETY: the same memory and lifetime; the caller writes nothing that has no value.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.whole.as_mut_ptr().cast(), bytes) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let bytes = size_of::<f32>() * self.length;
        // SAFETY: the same memory and lifetime.
        Ok(unsafe { std::slice::from_raw_parts(self.whole.as_ptr().cast(), bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_at_least_as_long_and_at_most_an_eighth_longer() {
        for length in [SMALLEST, SMALLEST + 1, 1_695_680, 5_087_040] {
            let class = class(length);
            assert!(class >= length && class <= length + length / 8, "{length} {class}");
            assert_eq!(super::class(class), class);
        }
    }

    #[test]
    fn what_is_dropped_is_used_again_and_bytes_keep_the_numbers() {
        let length = SMALLEST * 5 + 3;
        let mut first = any(length);
        first.fill(7.0);
        let place = first.as_ptr();
        let bytes = Bytes::from(first);
        assert_eq!(bytes.len(), 4 * length);
        assert_eq!(bytes[..4], 7f32.to_ne_bytes());
        drop(bytes);
        let second = zeros(length + 1);
        assert_eq!(second.as_ptr(), place, "no other test asks for buffers of this class");
        assert!(second.iter().all(|&x| x == 0.0));
    }
}
