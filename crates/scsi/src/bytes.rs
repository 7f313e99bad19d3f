//! Reading big-endian fields that may not be there, and writing into buffers that may be too small.

/// A byte, or nothing where the data ends before it.
pub(crate) fn u8_at(data: &[u8], at: usize) -> Option<u8> {
    data.get(at).copied()
}

/// A big-endian 16-bit field.
pub(crate) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// A big-endian 24-bit field.
pub(crate) fn u24_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|&[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
}

/// A big-endian 32-bit field.
pub(crate) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A big-endian 64-bit field.
pub(crate) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Whether a bit of a byte is set; a byte that is not there has no bit set.
pub(crate) fn bit_at(data: &[u8], at: usize, bit: u8) -> bool {
    u8_at(data, at).is_some_and(|byte| byte >> bit & 1 == 1)
}

/// The part of `data` from `start` on, at most `length` long; empty where there is none.
pub(crate) fn slice_at(data: &[u8], start: usize, length: usize) -> &[u8] {
    let rest = data.get(start..).unwrap_or_default();
    rest.get(..length).unwrap_or(rest)
}

/// Bytes that pad text: devices use both.
pub(crate) fn is_padding(byte: u8) -> bool {
    byte == b' ' || byte == 0
}

/// Removes spaces and NULs from both ends.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let Some((&first, rest)) = bytes.split_first()
        && is_padding(first)
    {
        bytes = rest;
    }
    while let Some((&last, rest)) = bytes.split_last()
        && is_padding(last)
    {
        bytes = rest;
    }
    bytes
}

/// Trimmed text up to the first byte that is not ASCII.
pub(crate) fn ascii_prefix(bytes: &[u8]) -> &str {
    let bytes = trim(bytes);
    let end = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
    core::str::from_utf8(trim(slice_at(bytes, 0, end))).unwrap_or_default()
}

/// Trimmed text up to the first byte that is not printable ASCII.
pub(crate) fn printable_prefix(bytes: &[u8]) -> &str {
    let bytes = trim(bytes);
    let end = bytes.iter().position(|byte| !is_printable(*byte)).unwrap_or(bytes.len());
    core::str::from_utf8(trim(slice_at(bytes, 0, end))).unwrap_or_default()
}

/// Trimmed text if all of it is printable and there is any.
pub(crate) fn printable(bytes: &[u8]) -> Option<&str> {
    let bytes = trim(bytes);
    if bytes.is_empty() || !bytes.iter().copied().all(is_printable) {
        return None;
    }
    core::str::from_utf8(bytes).ok()
}

fn is_printable(byte: u8) -> bool {
    (0x20..0x7F).contains(&byte)
}

/// Data of any length written into a buffer of a given one: what does not fit is counted and dropped,
/// as a device does that transfers the smaller of what it has and what was allocated.
pub(crate) struct Sink<'b> {
    buffer: &'b mut [u8],
    total: usize,
}

impl<'b> Sink<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, total: 0 }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.patch(self.total, bytes);
        self.total = self.total.saturating_add(bytes.len());
    }

    /// Text or bytes in a field of fixed width, cut or padded at the end.
    pub(crate) fn put_padded(&mut self, bytes: &[u8], width: usize, padding: u8) {
        let bytes = slice_at(bytes, 0, width);
        self.put(bytes);
        self.fill(padding, width - bytes.len());
    }

    pub(crate) fn fill(&mut self, byte: u8, count: usize) {
        let rest = self.buffer.get_mut(self.total..).unwrap_or_default();
        let fits = count.min(rest.len());
        if let Some(room) = rest.get_mut(..fits) {
            room.fill(byte);
        }
        self.total = self.total.saturating_add(count);
    }

    /// Overwrites what was written before, or what lies outside the buffer.
    pub(crate) fn patch(&mut self, at: usize, bytes: &[u8]) {
        let rest = self.buffer.get_mut(at..).unwrap_or_default();
        for (to, from) in rest.iter_mut().zip(bytes) {
            *to = *from;
        }
    }

    /// How long the data is, the part that did not fit included.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// How much of it is in the buffer.
    pub(crate) fn written(&self) -> usize {
        self.total.min(self.buffer.len())
    }
}
