//! Parts made of parts: pointers, `Option`, lists and tuples.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::args::{ArgBytes, Tag};
use super::part::KeyPart;
use super::writer::PartWriter;

macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(
            impl<T: KeyPart + ?Sized> KeyPart for $pointer {
                fn write_part(&self, out: &mut PartWriter<'_>) {
                    T::write_part(self, out);
                }

                #[inline]
                fn encode_part(&self, out: &mut ArgBytes) {
                    T::encode_part(self, out);
                }
            }
        )*
    };
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: KeyPart + ToOwned + ?Sized> KeyPart for Cow<'_, T> {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        T::write_part(self, out);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        T::encode_part(self, out);
    }
}

/// `Some(x)` is written as `x`, `None` as `%none`, which no `x` can be.
impl<T: KeyPart> KeyPart for Option<T> {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        match self {
            Some(content) => out.some(|out| content.write_part(out)),
            None => out.none(),
        }
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        match self {
            None => out.push_tag(Tag::None),
            Some(content) => {
                out.push_tag(Tag::Some);
                content.encode_part(out);
            }
        }
    }
}

impl<T: KeyPart> KeyPart for [T] {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.open();
        if let [only] = self {
            out.only_member(|out| only.write_part(out));
        } else {
            for (at, member) in self.iter().enumerate() {
                if at > 0 {
                    out.separator();
                }
                member.write_part(out);
            }
        }
        out.close();
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_tag(Tag::List);
        out.push_len(self.len());
        self.iter().for_each(|member| member.encode_part(out));
    }
}

impl<T: KeyPart> KeyPart for Vec<T> {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        self.as_slice().write_part(out);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        self.as_slice().encode_part(out);
    }
}

impl<T: KeyPart, const N: usize> KeyPart for [T; N] {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        self.as_slice().write_part(out);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        self.iter().for_each(|member| member.encode_part(out));
    }
}

macro_rules! tuples {
    ($($first:ident $zero:tt $(, $name:ident $index:tt)*;)*) => {
        $(
            impl<$first: KeyPart, $($name: KeyPart),*> KeyPart for ($first, $($name,)*) {
                fn write_part(&self, out: &mut PartWriter<'_>) {
                    out.open();
                    self.$zero.write_part(out);
                    $(
                        out.separator();
                        self.$index.write_part(out);
                    )*
                    out.close();
                }

                #[inline]
                fn encode_part(&self, out: &mut ArgBytes) {
                    out.push_compound([$zero $(, $index)*].len());
                    self.$zero.encode_part(out);
                    $(self.$index.encode_part(out);)*
                }
            }
        )*
    };
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
}
