//! Every example runs to its end. Each is a module here: it is compiled with the test and its `main` is called.

/// A module for each example, a test that runs it, and the list of all.
macro_rules! examples {
    ($($name:ident = $path:literal),* $(,)?) => {
        $(
            #[path = $path]
            mod $name;
        )*

        mod runs {
            $(
                #[test]
                fn $name() {
                    super::$name::main().unwrap_or_else(|e| panic!("{}: {e}", stringify!($name)));
                }
            )*
        }

        const LISTED: &[&str] = &[$(stringify!($name)),*];
    };
}

examples! {
    audit = "../examples/audit.rs",
    cold_items = "../examples/cold_items.rs",
    evaluate_embeddings = "../examples/evaluate_embeddings.rs",
    import_csv = "../examples/import_csv.rs",
    own_backbone = "../examples/own_backbone.rs",
    own_balancer = "../examples/own_balancer.rs",
    read_a_run = "../examples/read_a_run.rs",
    recommend = "../examples/recommend.rs",
    sweep = "../examples/sweep.rs",
    train = "../examples/train.rs",
}

#[test]
fn no_example_is_left_out() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> =
        files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, LISTED);
}
