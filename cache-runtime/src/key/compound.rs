//! Parts made of parts: pointers, `Option`, lists and tuples.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::args::{ArgBytes, shape};
use super::part::KeyPart;
use super::writer::PartWriter;

macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(
            impl<T: KeyPart + ?Sized> KeyPart for $pointer {
                const SHAPE: u64 = T::SHAPE;

                fn write_part(&self, out: &mut PartWriter<'_>) {
                    T::write_part(self, out);
                }

                #[inline]
                fn whole_part(&self) -> Option<&[u8]> {
                    T::whole_part(self)
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
    const SHAPE: u64 = T::SHAPE;

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
    const SHAPE: u64 = shape::with(shape::of("option"), T::SHAPE);

    fn write_part(&self, out: &mut PartWriter<'_>) {
        match self {
            Some(content) => out.some(|out| content.write_part(out)),
            None => out.none(),
        }
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        match self {
            None => out.push_u8(0),
            Some(content) => {
                out.push_u8(1);
                content.encode_part(out);
            }
        }
    }
}

impl<T: KeyPart> KeyPart for [T] {
    const SHAPE: u64 = shape::with(shape::of("list"), T::SHAPE);

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
        out.push_len(self.len());
        self.iter().for_each(|member| member.encode_part(out));
    }
}

impl<T: KeyPart> KeyPart for Vec<T> {
    const SHAPE: u64 = shape::with(shape::of("list"), T::SHAPE);

    fn write_part(&self, out: &mut PartWriter<'_>) {
        self.as_slice().write_part(out);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        self.as_slice().encode_part(out);
    }
}

impl<T: KeyPart, const N: usize> KeyPart for [T; N] {
    const SHAPE: u64 = shape::with(shape::of("list"), T::SHAPE);

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
                const SHAPE: u64 = {
                    let shape = shape::with(shape::of("tuple"), $first::SHAPE);
                    $(let shape = shape::with(shape, $name::SHAPE);)*
                    shape
                };

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
