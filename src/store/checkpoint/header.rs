//! What does the header of a checkpoint say? Pure: text to value and back, with one right text for every value.

use std::fmt::{self, Write};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// Bytes of the largest header, as a bound on what a damaged length can make a reader allocate: about 30,000 arrays.
pub(super) const HEADER_BYTES_MAX: u64 = 4 << 20;
/// The header is padded so that the words begin at a multiple of this many bytes.
const ALIGNMENT: usize = 64;
/// What every header begins with; eight hexadecimal digits follow: the CRC-32 of the eight bytes before the header and of the
/// header with zeros in place of the digits.
const PREFIX: &str = r#"{"__metadata__":{"impel.crc32":""#;
/// Digits of a CRC-32.
const DIGITS: usize = 8;
/// Where safetensors keeps what is no array.
const METADATA: &str = "__metadata__";
/// Version of what stands in the metadata.
const FORMAT: &str = "1";

/// What one element, or one component of an element, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    F32,
    I32,
    U32,
    F64,
    I64,
    U64,
}

impl Dtype {
    const ALL: [Self; 6] = [
        Self::F32,
        Self::I32,
        Self::U32,
        Self::F64,
        Self::I64,
        Self::U64,
    ];

    /// Name in the format, and in Python.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::I32 => "I32",
            Self::U32 => "U32",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U64 => "U64",
        }
    }

    fn bytes(self) -> u64 {
        match self {
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }
}

/// One array of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    /// Number of elements, then the shape of one.
    pub(crate) shape: Vec<u64>,
    /// Of the array's bytes.
    pub(crate) crc32: u32,
}

impl Tensor {
    /// Size, or none if it does not fit 64 bits.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.shape
            .iter()
            .try_fold(self.dtype.bytes(), |bytes, &extent| {
                bytes.checked_mul(extent)
            })
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.dtype.name(), self.shape)
    }
}

/// What stands before the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) step: u64,
    /// In the order of their words.
    pub(crate) tensors: Vec<Tensor>,
}

/// Why some bytes are no header of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// It is another program's file, or another version's.
    Foreign(String),
    /// It was one once.
    Damaged(String),
}

impl Header {
    /// Bytes of all arrays, or none if they do not fit 64 bits.
    pub(crate) fn data_bytes(&self) -> Option<u64> {
        self.tensors
            .iter()
            .try_fold(0_u64, |sum, tensor| sum.checked_add(tensor.bytes()?))
    }

    /// The text, padded and with its CRC-32.
    ///
    /// # Panics
    /// If the arrays' sizes do not fit 64 bits.
    pub(super) fn to_text(&self) -> String {
        let mut text = format!(
            "{PREFIX}{:0DIGITS$x}\",\"impel.format\":\"{FORMAT}\",\"step\":\"{}\"",
            0, self.step
        );
        for tensor in &self.tensors {
            let key = quoted(&format!("crc32.{}", tensor.name));
            push(
                &mut text,
                format_args!(",{key}:\"{:0DIGITS$x}\"", tensor.crc32),
            );
        }
        text.push('}');
        let mut start = 0;
        for tensor in &self.tensors {
            let end = start + tensor.bytes().expect("an array fits memory");
            let (name, dtype) = (quoted(&tensor.name), tensor.dtype.name());
            let shape = Value::from(tensor.shape.clone());
            push(
                &mut text,
                format_args!(
                    ",{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}"
                ),
            );
            start = end;
        }
        text.push('}');
        let padded = (size_of::<u64>() + text.len()).next_multiple_of(ALIGNMENT);
        text.extend(std::iter::repeat_n(
            ' ',
            padded - size_of::<u64>() - text.len(),
        ));
        let digits = format!("{:0DIGITS$x}", crc32_of(text.as_bytes()));
        text.replace_range(PREFIX.len()..PREFIX.len() + DIGITS, &digits);
        text
    }

    /// Reads what [`to_text`](Self::to_text) has written, and nothing else.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        check_crc32(bytes)?;
        let damaged = |error: &dyn fmt::Display| HeaderError::Damaged(error.to_string());
        let text = std::str::from_utf8(bytes).map_err(|error| damaged(&error))?;
        let entries: Entries = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        let header = Self::from_entries(&entries)?;
        if header.data_bytes().is_none() {
            return Err(HeaderError::Damaged("the arrays are too large".to_owned()));
        }
        if header.to_text() != text {
            let why =
                "the header is not spelt as impel spells it; another program has rewritten it";
            return Err(HeaderError::Foreign(why.to_owned()));
        }
        Ok(header)
    }

    fn from_entries(Entries(entries): &Entries) -> Result<Self, HeaderError> {
        let lacking = |what: &str| HeaderError::Damaged(format!("{what} is missing or invalid"));
        let Some(((_, Value::Object(metadata)), arrays)) = entries.split_first() else {
            return Err(lacking(METADATA));
        };
        let noted = |key: &str| metadata.get(key).and_then(Value::as_str);
        let format = noted("impel.format").ok_or_else(|| lacking("the format's version"))?;
        if format != FORMAT {
            return Err(HeaderError::Foreign(format!(
                "it has format {format}, and this version of impel reads format {FORMAT}"
            )));
        }
        let step = noted("step").and_then(|step| step.parse().ok());
        let step = step.ok_or_else(|| lacking("the step"))?;
        let mut tensors: Vec<Tensor> = Vec::with_capacity(arrays.len());
        for (name, entry) in arrays {
            let crc32 = noted(&format!("crc32.{name}"));
            let crc32 = crc32.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let tensor = tensor(name, entry, crc32).ok_or_else(|| lacking(name))?;
            if tensors.iter().any(|other| other.name == *name) {
                let why = format!("two arrays are called `{name}`");
                return Err(HeaderError::Damaged(why));
            }
            tensors.push(tensor);
        }
        Ok(Self { step, tensors })
    }
}

fn tensor(name: &str, entry: &Value, crc32: Option<u32>) -> Option<Tensor> {
    let shape = entry.get("shape")?.as_array()?;
    Some(Tensor {
        name: name.to_owned(),
        dtype: Dtype::of(entry.get("dtype")?.as_str()?)?,
        shape: shape.iter().map(Value::as_u64).collect::<Option<_>>()?,
        crc32: crc32?,
    })
}

fn check_crc32(bytes: &[u8]) -> Result<(), HeaderError> {
    let digits = PREFIX.len()..PREFIX.len() + DIGITS;
    if !bytes.starts_with(PREFIX.as_bytes()) || bytes.len() < digits.end {
        let why = "it is no checkpoint of impel, or its first bytes are damaged";
        return Err(HeaderError::Foreign(why.to_owned()));
    }
    let mut zeroed = bytes.to_vec();
    zeroed[digits.clone()].fill(b'0');
    let expected = format!("{:0DIGITS$x}", crc32_of(&zeroed));
    if bytes[digits] == *expected.as_bytes() {
        Ok(())
    } else {
        let why = "the header does not match its checksum";
        Err(HeaderError::Damaged(why.to_owned()))
    }
}

/// CRC-32 of a header and of the eight bytes before it.
fn crc32_of(header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(header.len() as u64).to_le_bytes());
    hasher.update(header);
    hasher.finalize()
}

/// Whether an array can have this name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name != METADATA
}

fn quoted(name: &str) -> Value {
    Value::from(name)
}

fn push(text: &mut String, piece: fmt::Arguments<'_>) {
    text.write_fmt(piece).expect("a String takes all text");
}

/// A JSON object with its entries as they stand: in order, and with double ones.
#[derive(Debug)]
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_header() -> impl Strategy<Value = Header> {
        let tensor = (
            "\\PC{1,8}",
            0..Dtype::ALL.len(),
            proptest::collection::vec(0_u64..100, 1..4),
            any::<u32>(),
        )
            .prop_map(|(name, dtype, shape, crc32)| Tensor {
                name,
                dtype: Dtype::ALL[dtype],
                shape,
                crc32,
            });
        let tensors = proptest::collection::vec(tensor, 0..5);
        (any::<u64>(), tensors).prop_map(|(step, mut tensors)| {
            tensors.sort_by(|a, b| a.name.cmp(&b.name));
            tensors.dedup_by(|a, b| a.name == b.name);
            tensors.retain(|tensor| is_name(&tensor.name));
            Header { step, tensors }
        })
    }

    /// A header's text changed by hand, with a checksum that fits.
    fn forged(from: &str, to: &str) -> Result<Header, HeaderError> {
        let tensor = |name: &str, shape: &[u64]| Tensor {
            name: name.to_owned(),
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            crc32: 7,
        };
        let header = Header {
            step: 12,
            tensors: vec![tensor("u", &[4]), tensor("v", &[2, 3])],
        };
        let text = header.to_text();
        assert!(text.contains(from), "{text} has no {from}");
        Header::parse(&sealed(&text.replace(from, to)))
    }

    fn sealed(text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        let digits = PREFIX.len()..PREFIX.len() + DIGITS;
        bytes[digits.clone()].fill(b'0');
        let crc32 = format!("{:0DIGITS$x}", crc32_of(&bytes));
        bytes[digits].copy_from_slice(crc32.as_bytes());
        bytes
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(256, 0x5eed))]

        #[test]
        fn a_header_says_what_it_was_made_of(header in any_header()) {
            let text = header.to_text();
            prop_assert_eq!((size_of::<u64>() + text.len()) % ALIGNMENT, 0);
            prop_assert_eq!(Header::parse(text.as_bytes()), Ok(header));
        }

        #[test]
        fn whatever_is_accepted_is_spelt_the_one_right_way(
            header in any_header(),
            at in any::<proptest::sample::Index>(),
            byte in 0x20_u8..0x7f,
        ) {
            let text = header.to_text();
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
            if text.starts_with(PREFIX)
                && let Ok(other) = Header::parse(&sealed(&text))
            {
                prop_assert_eq!(other.to_text().into_bytes(), sealed(&text));
            }
        }
    }

    #[test]
    fn hostile_headers_are_refused_with_a_reason() {
        let why = |from: &str, to: &str| match forged(from, to) {
            Err(HeaderError::Damaged(why) | HeaderError::Foreign(why)) => why,
            Ok(header) => panic!("accepted {header:?}"),
        };
        assert_eq!(why("\"v\":", "\"u\":"), "two arrays are called `u`");
        assert_eq!(why("F32", "F23"), "u is missing or invalid");
        assert_eq!(why("[4]", "[-4]"), "u is missing or invalid");
        assert_eq!(
            why("[2,3]", "[4294967296,4294967296]"),
            "the arrays are too large"
        );
        assert_eq!(
            why("[2,3]", "[18446744073709551616]"),
            "v is missing or invalid"
        );
        assert_eq!(
            why("[4]", "[5]"),
            "the header is not spelt as impel spells it; another program has rewritten it"
        );
        assert_eq!(
            why("\"12\"", "\"twelve\""),
            "the step is missing or invalid"
        );
        assert!(why("\"impel.format\":\"1\"", "\"impel.format\":\"2\"").contains("reads format 1"));
        let deep = format!("{PREFIX}00000000\"{}", "[".repeat(100_000));
        assert!(Header::parse(&sealed(&deep)).is_err());
    }
}
