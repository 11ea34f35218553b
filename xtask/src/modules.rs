//! The modules of a crate: which file each is in, which names it defines, and which it takes from elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use syn::{Attribute, Item, UseTree};

/// A module's path within its crate: empty for the root.
pub type Name = Vec<String>;

/// One `use` of a name.
#[derive(Clone, Debug)]
pub struct Import {
    /// The path as it is written.
    pub path: Name,
    /// The name that it gets here; `*` for all names of a module.
    pub alias: String,
    /// Whether others see it here.
    pub public: bool,
}

/// What is known of a module.
#[derive(Default)]
pub struct Module {
    /// Its file, below the crate's sources.
    pub file: PathBuf,
    /// Names that it defines, but for modules.
    pub defined: Vec<String>,
    /// Names that it takes from elsewhere.
    pub imports: Vec<Import>,
    /// Its items, without those that only tests see.
    pub items: Vec<Item>,
}

/// All modules of a crate.
pub struct Modules(pub BTreeMap<Name, Module>);

impl Module {
    /// The public types and traits that it defines.
    pub fn public_types(&self) -> impl Iterator<Item = String> {
        self.items.iter().filter_map(|item| {
            let (visibility, ident) = match item {
                Item::Enum(i) => (&i.vis, &i.ident),
                Item::Struct(i) => (&i.vis, &i.ident),
                Item::Trait(i) => (&i.vis, &i.ident),
                Item::Type(i) => (&i.vis, &i.ident),
                Item::Union(i) => (&i.vis, &i.ident),
                _ => return None,
            };
            matches!(visibility, syn::Visibility::Public(_)).then(|| ident.to_string())
        })
    }
}

impl Modules {
    /// Reads the sources of a crate, from `lib.rs`.
    pub fn of(src: &Path) -> Modules {
        let mut modules = Modules(BTreeMap::new());
        modules.read(src, Path::new("lib.rs"), Vec::new(), Path::new(""));
        modules
    }

    fn read(&mut self, src: &Path, file: &Path, name: Name, children: &Path) {
        let path = src.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self.module(src, file, name, children, parsed.items);
    }

    fn module(&mut self, src: &Path, file: &Path, name: Name, children: &Path, items: Vec<Item>) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.into_iter().filter(|item| !only_for_tests(attributes(item))) {
            match &item {
                Item::Mod(child) => {
                    let name = [&name[..], &[child.ident.to_string()]].concat();
                    match &child.content {
                        Some((_, items)) => self.module(src, file, name, children, items.clone()),
                        None => self.child(src, name, children),
                    }
                    continue;
                }
                Item::Use(used) => {
                    let public = !matches!(used.vis, syn::Visibility::Inherited);
                    expand(&used.tree, &mut Vec::new(), public, &mut module.imports);
                    continue;
                }
                _ => module.defined.extend(defines(&item)),
            }
            module.items.push(item);
        }
        self.0.insert(name, module);
    }

    fn child(&mut self, src: &Path, name: Name, children: &Path) {
        let last = name.last().expect("a child has a name");
        let (plain, nested) = (children.join(format!("{last}.rs")), children.join(last));
        let file = if src.join(&plain).is_file() { plain } else { nested.join("mod.rs") };
        self.read(src, &file, name.clone(), &nested);
    }
}

fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|a| a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test")))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

fn defines(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(i) => &i.ident,
        Item::Enum(i) => &i.ident,
        Item::Fn(i) => &i.sig.ident,
        Item::Macro(i) => i.ident.as_ref()?,
        Item::Static(i) => &i.ident,
        Item::Struct(i) => &i.ident,
        Item::Trait(i) => &i.ident,
        Item::Type(i) => &i.ident,
        Item::Union(i) => &i.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn expand(tree: &UseTree, prefix: &mut Name, public: bool, found: &mut Vec<Import>) {
    let mut add = |prefix: &Name, name: &str, alias: &str| {
        let mut path = prefix.clone();
        if name != "self" {
            path.push(name.to_owned());
        }
        let alias =
            if alias == "self" { prefix.last().cloned().unwrap_or_default() } else { alias.to_owned() };
        found.push(Import { path, alias, public });
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            expand(&path.tree, prefix, public, found);
            prefix.pop();
        }
        UseTree::Name(name) => add(prefix, &name.ident.to_string(), &name.ident.to_string()),
        UseTree::Rename(rename) => add(prefix, &rename.ident.to_string(), &rename.rename.to_string()),
        UseTree::Glob(_) => found.push(Import { path: prefix.clone(), alias: "*".into(), public }),
        UseTree::Group(group) => group.items.iter().for_each(|tree| expand(tree, prefix, public, found)),
    }
}
