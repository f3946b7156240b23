//! Parts of other crates' types, each behind the feature of the crate's name.

#[cfg(any(feature = "chrono", feature = "time", feature = "uuid"))]
use super::args::{ArgBytes, shape};
#[cfg(any(feature = "chrono", feature = "time", feature = "uuid"))]
use super::part::KeyPart;
#[cfg(any(feature = "chrono", feature = "time", feature = "uuid"))]
use super::writer::PartWriter;

#[cfg(feature = "uuid")]
impl KeyPart for uuid::Uuid {
    const SHAPE: u64 = shape::of("chrono uuid::Uuid");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_display(self.as_hyphenated());
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_u128(self.as_u128());
    }
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};

    use super::{ArgBytes, KeyPart, PartWriter, shape};

    /// Written as RFC 3339 in UTC: equal instants are one key in whichever time zone they come.
    impl<Tz: TimeZone> KeyPart for DateTime<Tz> {
        const SHAPE: u64 = shape::of("chrono DateTime<Tz>");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            let utc = self.naive_utc();
            out.write_display(format_args!("{utc:?}Z"));
            mark_leap(utc.time(), out);
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            self.naive_utc().encode_part(out);
        }
    }

    /// Written as ISO 8601, without a time zone.
    impl KeyPart for NaiveDateTime {
        const SHAPE: u64 = shape::of("chrono NaiveDateTime");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            out.write_display(format_args!("{self:?}"));
            mark_leap(self.time(), out);
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            self.date().encode_part(out);
            self.time().encode_part(out);
        }
    }

    impl KeyPart for NaiveDate {
        const SHAPE: u64 = shape::of("chrono NaiveDate");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            out.write_display(self);
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            chrono::Datelike::num_days_from_ce(self).encode_part(out);
        }
    }

    impl KeyPart for NaiveTime {
        const SHAPE: u64 = shape::of("chrono NaiveTime");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            out.write_display(self);
            mark_leap(*self, out);
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            out.push_u32(self.num_seconds_from_midnight());
            out.push_u32(self.nanosecond());
        }
    }

    /// A leap second that does not end a minute displays like the second after it, but is not equal to it.
    fn mark_leap(time: NaiveTime, out: &mut PartWriter<'_>) {
        if time.nanosecond() >= 1_000_000_000 && time.second() != 59 {
            out.write_str(";leap");
        }
    }
}

#[cfg(feature = "time")]
mod of_time {
    use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

    use super::{ArgBytes, KeyPart, PartWriter, shape};

    /// Written as RFC 3339 in UTC: equal instants are one key at whichever offset they come.
    impl KeyPart for OffsetDateTime {
        const SHAPE: u64 = shape::of("time OffsetDateTime");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            if let Some(utc) = self.checked_to_offset(UtcOffset::UTC) {
                PrimitiveDateTime::new(utc.date(), utc.time()).write_part(out);
                out.write_char('Z');
            } else {
                // Within a day of the end of the calendar there is no date in UTC.
                out.write_display(format_args!("@{}", self.unix_timestamp_nanos()));
            }
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            self.unix_timestamp_nanos().encode_part(out);
        }
    }

    /// Written as ISO 8601, without an offset.
    impl KeyPart for PrimitiveDateTime {
        const SHAPE: u64 = shape::of("time PrimitiveDateTime");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            self.date().write_part(out);
            out.write_char('T');
            self.time().write_part(out);
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            self.date().encode_part(out);
            self.time().encode_part(out);
        }
    }

    impl KeyPart for Date {
        const SHAPE: u64 = shape::of("time Date");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            let (year, month, day) = self.to_calendar_date();
            out.write_display(format_args!("{year:04}-{:02}-{day:02}", u8::from(month)));
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            self.to_julian_day().encode_part(out);
        }
    }

    impl KeyPart for Time {
        const SHAPE: u64 = shape::of("time Time");

        fn write_part(&self, out: &mut PartWriter<'_>) {
            let (hour, minute, second, nanosecond) = self.as_hms_nano();
            out.write_display(format_args!("{hour:02}:{minute:02}:{second:02}"));
            match nanosecond {
                0 => {}
                nanos if nanos % 1_000_000 == 0 => {
                    out.write_display(format_args!(".{:03}", nanos / 1_000_000))
                }
                nanos if nanos % 1_000 == 0 => {
                    out.write_display(format_args!(".{:06}", nanos / 1_000))
                }
                nanos => out.write_display(format_args!(".{nanos:09}")),
            }
        }

        #[inline]
        fn encode_part(&self, out: &mut ArgBytes) {
            let (hour, minute, second, nanosecond) = self.as_hms_nano();
            out.push_u8(hour);
            out.push_u8(minute);
            out.push_u8(second);
            out.push_u32(nanosecond);
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(any(feature = "chrono", feature = "time", feature = "uuid"))]
    use crate::key::tests::{bytes, text};

    #[cfg(feature = "uuid")]
    #[test]
    fn uuids_are_hyphenated() {
        let id = uuid::Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
        assert_eq!(text(&id), "67e55044-10b1-426f-9247-bb680e5fe0c8");
        assert_eq!(bytes(&id).as_slice().len(), 16);
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn chrono_instants_are_one_key_in_all_time_zones() {
        use chrono::{DateTime, FixedOffset, Timelike as _, Utc};

        let utc: DateTime<Utc> = DateTime::from_timestamp(1_700_000_000, 500_000_000).unwrap();
        let far = utc.with_timezone(&FixedOffset::east_opt(5 * 3600 + 1800).unwrap());
        assert_eq!(text(&utc), "2023-11-14T22%3A13%3A20.500Z");
        assert_eq!((text(&far), bytes(&far)), (text(&utc), bytes(&utc)));
        assert_eq!(text(&utc.naive_utc()), "2023-11-14T22%3A13%3A20.500");
        assert_eq!(text(&utc.date_naive()), "2023-11-14");
        assert_eq!(text(&utc.time()), "22%3A13%3A20.500");
        let leap = utc.with_second(19).unwrap().with_nanosecond(1_500_000_000).unwrap();
        assert_ne!(leap, utc);
        assert_ne!(text(&leap), text(&utc));
        assert_ne!(bytes(&leap), bytes(&utc));
        assert!(
            !text(&DateTime::<Utc>::MIN_UTC).is_empty()
                && !text(&DateTime::<Utc>::MAX_UTC).is_empty()
        );
    }

    #[cfg(feature = "time")]
    #[test]
    fn time_instants_are_one_key_at_all_offsets() {
        use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

        let utc = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_500_000_000).unwrap();
        let far = utc.to_offset(UtcOffset::from_hms(5, 30, 0).unwrap());
        assert_eq!(text(&utc), "2023-11-14T22%3A13%3A20.500Z");
        assert_eq!((text(&far), bytes(&far)), (text(&utc), bytes(&utc)));
        assert_eq!(text(&utc.date()), "2023-11-14");
        assert_eq!(text(&Time::from_hms_nano(1, 2, 3, 1).unwrap()), "01%3A02%3A03.000000001");
        assert_eq!(text(&Time::from_hms_nano(1, 2, 3, 1_000).unwrap()), "01%3A02%3A03.000001");
        assert_eq!(text(&Time::MIDNIGHT), "00%3A00%3A00");
        assert_eq!(text(&Date::from_calendar_date(-44, Month::March, 15).unwrap()), "-044-03-15");
        let last = PrimitiveDateTime::MAX.assume_offset(UtcOffset::from_hms(-5, 0, 0).unwrap());
        assert_eq!(text(&last), format!("@{}", last.unix_timestamp_nanos()));
        assert_eq!(bytes(&last).as_slice().len(), 16);
    }
}
