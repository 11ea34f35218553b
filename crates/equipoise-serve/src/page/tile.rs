//! The picture of an item, or its first letter.

use super::view::{Named, View};
use form_urlencoded::Serializer;
use maud::{Markup, html};

/// The picture of an item of a model. It says nothing that the title beside it does not say, so that it is not read aloud.
pub(crate) fn tile(view: &View, named: Named, id: &str) -> Markup {
    let info = named.model.vocabulary().item(id).and_then(|row| named.model.infos().of(row));
    let picture = info.and_then(|info| info.picture.as_deref());
    let address = picture.and_then(|picture| view.pictures.address(picture, || own(named, id)));
    let title = info.and_then(|info| info.title.as_deref()).unwrap_or(id);
    html! {
        span.tile aria-hidden="true" {
            @if let Some(address) = address {
                img src=(address) alt="" width="56" height="56" loading="lazy" decoding="async"
                    referrerpolicy="no-referrer";
            } @else {
                (title.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().to_string()).unwrap_or_default())
            }
        }
    }
}

/// The address of a picture that the server sends itself.
fn own(named: Named, id: &str) -> String {
    let path = String::from("page/picture?");
    let start = path.len();
    let mut pairs = Serializer::for_suffix(path, start);
    pairs.append_pair("model", named.name).append_pair("item", id);
    pairs.finish()
}
