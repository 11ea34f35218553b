//! Which file takes names from which: paths are followed to the file that defines the name, through all that hand it on.

use crate::modules::{Module, Modules, Name};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use syn::visit::{self, Visit};

/// Names that one file takes from another.
pub type Arrows = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

/// The arrows of a crate.
pub fn arrows(modules: &Modules) -> Arrows {
    let mut arrows = Arrows::new();
    for (name, module) in &modules.0 {
        for path in used(name, module) {
            if let Some((file, what)) = follow(modules, name, &path, 0)
                && file != module.file
            {
                arrows.entry((module.file.clone(), file)).or_default().insert(what);
            }
        }
    }
    arrows
}

/// All paths that a module's code names. Handing on the names of one's own children is no use of them.
fn used(name: &Name, module: &Module) -> Vec<Name> {
    let mut paths = Paths::default();
    module.items.iter().for_each(|item| paths.visit_item(item));
    let handed_on = |path: &Name| {
        let own = path.first().is_some_and(|first| first == "self")
            || absolute(name, path).is_some_and(|path| path.starts_with(name) && path.len() > name.len());
        own || path.first().is_some_and(|first| !["crate", "super", "self"].contains(&first.as_str()))
    };
    let imports = module.imports.iter().filter(|import| !(import.public && handed_on(&import.path)));
    imports.map(|import| import.path.clone()).chain(paths.0).collect()
}

/// A path that begins with `crate`, `self` or `super`, from the root of the crate.
fn absolute(from: &Name, path: &Name) -> Option<Name> {
    let mut base = from.clone();
    let mut rest = &path[..];
    match rest.first()?.as_str() {
        "crate" => base.clear(),
        "self" | "super" => {}
        _ => return None,
    }
    while let Some(first) = rest.first().filter(|first| ["crate", "self", "super"].contains(&first.as_str()))
    {
        if first == "super" {
            base.pop();
        }
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// The file in which what a path names is defined, and its name; `None` for what is outside the crate.
fn follow(modules: &Modules, from: &Name, path: &Name, depth: usize) -> Option<(PathBuf, String)> {
    if depth > 16 {
        return None;
    }
    if let Some(path) = absolute(from, path) {
        return locate(modules, &path, depth);
    }
    let (first, rest) = path.split_first()?;
    let child = [&from[..], std::slice::from_ref(first)].concat();
    if modules.0.contains_key(&child) {
        return locate(modules, &[&child[..], rest].concat(), depth);
    }
    // A name that was imported here: its own import is an arrow already, what lies behind it may be another.
    let module = &modules.0[from];
    let import = module.imports.iter().find(|import| import.alias == *first && !rest.is_empty())?;
    if import.path.first() == Some(first) {
        return None;
    }
    follow(modules, from, &[&import.path[..], rest].concat(), depth + 1)
}

/// The same for a path from the root of the crate.
fn locate(modules: &Modules, path: &Name, depth: usize) -> Option<(PathBuf, String)> {
    let within = (0..=path.len()).rev().find(|&n| modules.0.contains_key(&path[..n]))?;
    let (name, rest) = path.split_at(within);
    let module = &modules.0[name];
    let Some(first) = rest.first() else {
        // The module itself: what is used of it follows from other paths, unless it is a leaf of code.
        return None;
    };
    if module.defined.contains(first) {
        return Some((module.file.clone(), first.clone()));
    }
    let name = name.to_vec();
    if let Some(import) = module.imports.iter().find(|import| import.alias == *first) {
        let path = [&import.path[..], &rest[1..]].concat();
        return follow(modules, &name, &path, depth + 1);
    }
    let globs = module.imports.iter().filter(|import| import.alias == "*");
    globs.into_iter().find_map(|import| follow(modules, &name, &[&import.path[..], rest].concat(), depth + 1))
}

/// Collects every path with two segments or more.
#[derive(Default)]
struct Paths(Vec<Name>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_item_use(&mut self, _: &'ast syn::ItemUse) {}
}

impl Paths {
    /// Paths among the tokens of a macro, `a::b::c`.
    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path: Name = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.finish(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                proc_macro2::TokenTree::Group(group) => {
                    self.finish(&mut path);
                    self.tokens(group.stream());
                }
                _ => self.finish(&mut path),
            }
        }
        self.finish(&mut path);
    }

    fn finish(&mut self, path: &mut Name) {
        if path.len() > 1 {
            self.0.push(std::mem::take(path));
        }
        path.clear();
    }
}
