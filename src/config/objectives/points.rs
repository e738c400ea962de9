//! A promise that is a number of points of 100.

use serde::de::{Deserialize, Deserializer, Error as _};

use super::number::Given;

/// The most points that there are.
const ALL: f64 = 100.0;

/// A number of points of 100: more than none, since nothing is less than that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Points(pub f64);

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Given::deserialize(deserializer)? {
            Given::Number(number) if number > 0.0 && number <= ALL => Ok(Self(number)),
            given => Err(D::Error::custom(format!(
                "`{given}` is not a number of points of 100\nwrite a number above 0 and up to 100, for example {}",
                super::SECURITY_SCORE_PROMISE.default
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(number: &str) -> Option<f64> {
        Points::deserialize(toml::de::ValueDeserializer::parse(number).unwrap()).ok().map(|Points(points)| points)
    }

    #[test]
    fn all_points_can_be_promised_and_none_or_more_cannot() {
        for (number, points) in [("98", Some(98.0)), ("99.5", Some(99.5)), ("100", Some(100.0)), ("0.5", Some(0.5))] {
            assert_eq!(read(number), points);
        }
        for number in ["0", "-1", "100.1", "nan", "inf", "'98 %'", "true"] {
            assert_eq!(read(number), None, "{number}");
        }
    }
}
