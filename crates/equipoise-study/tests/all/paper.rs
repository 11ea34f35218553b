//! The paper's files say what the paper says, and this program can run what they ask for.

use equipoise_balance::Ckd;
use equipoise_study::reproduce::{
    Cell, Choose, Paper, PaperFiles, PaperSearch, TEACHER, TableKind, TableSpec, candidates, compose, expand,
    paper, tables, unsupported,
};
use equipoise_study::search::Point;
use equipoise_train::RunConfig;
use equipoise_train::evaluation::Selection;

fn names() -> Vec<String> {
    paper().datasets.keys().cloned().collect()
}

fn cells(table: &TableSpec) -> Vec<Cell> {
    expand(paper(), table, &Choose::default(), &names()).unwrap()
}

#[test]
fn every_table_has_its_cells() {
    let sizes: Vec<(&str, usize)> = tables().iter().map(|t| (t.name.as_str(), cells(t).len())).collect();
    assert_eq!(sizes, [("fig1", 4), ("table1", 96), ("table2", 120), ("table3", 60)]);
    assert_eq!(cells(&tables()[1])[0].to_string(), "table1/vbpr-none-baby");
}

#[test]
fn every_cell_names_a_backbone_of_this_program_and_a_balancer_that_it_has_or_will_have() {
    for cell in tables().iter().flat_map(cells) {
        assert!(equipoise_models::find(&cell.backbone).is_some(), "{cell}");
        let balancer = paper().balancer(&cell.method);
        let there = equipoise_balance::find(&balancer).is_some();
        assert_eq!(there, unsupported(paper(), &cell.backbone, &cell.method).is_none(), "{cell}");
        assert!(there || ["gb", "ogm"].contains(&balancer.as_str()), "{cell}: no balancer {balancer}");
    }
}

/// The configuration of a cell's method at a point, which must be valid.
fn resolved(cell: &Cell, before: &[(String, toml::Value)], own: &[(String, toml::Value)]) -> RunConfig {
    let [before, own] = [before, own].map(|settings| Point::new(settings.to_vec()));
    let config = compose(paper(), &cell.backbone, &cell.method, [&before, &own], &Point::default());
    config.unwrap_or_else(|fault| panic!("{cell}: {fault}"))
}

/// Every value of every axis of a method's search, one at a time.
fn check_search(cell: &Cell, budget: &PaperSearch) {
    let axes = budget.axes.get(&cell.method).unwrap_or_else(|| panic!("{cell}: nothing is searched"));
    let start = resolved(cell, &[], &[]);
    for axis in axes {
        assert!(axis.values.is_empty() != axis.times.is_empty(), "{cell}: {}: values or times", axis.key);
        for value in candidates(axis, &start).unwrap() {
            resolved(cell, &[], &[(axis.key.clone(), value)]);
        }
    }
}

#[test]
fn every_cell_of_a_balancer_that_is_there_resolves_at_every_value_of_its_searches() {
    for cell in tables().iter().flat_map(cells).filter(|c| c.method != TEACHER) {
        if unsupported(paper(), &cell.backbone, &cell.method).is_some() {
            continue;
        }
        let config = resolved(&cell, &[], &[]);
        assert_eq!(config.backbone.name, cell.backbone);
        assert_eq!(config.balance.name, paper().balancer(&cell.method));
        // One backbone suffices for the searches: their keys are those of training and balancers.
        if cell.backbone == "vbpr" && cell.dataset == "baby" {
            paper().search.values().for_each(|budget| check_search(&cell, budget));
        }
    }
}

#[test]
fn parts_left_out_are_left_out_whatever_the_search_before_found() {
    let found = [("balance.ckd.lambda_g".to_owned(), toml::Value::Float(5.0))];
    let ablation = |method: &str| {
        let cell = Cell {
            table: "table3".into(),
            backbone: "vbpr".into(),
            method: method.into(),
            dataset: "baby".into(),
        };
        resolved(&cell, &found, &[]).balance
    };
    use equipoise_balance::{ckd::Specific, weights::WeightMode};
    assert_eq!(ablation("ckd-no-generic").get::<Ckd>().lambda_g, 0.0);
    assert_eq!(ablation("ckd-no-reweight").get::<Ckd>().weights, WeightMode::Uniform);
    assert_eq!(ablation("ckd-kl").get::<Ckd>().specific, Specific::Kl);
    assert_eq!(ablation("ckd-mse").get::<Ckd>().specific, Specific::Mse);
    for method in ["ckd-no-generic", "ckd-no-reweight", "ckd-kl", "ckd-mse"] {
        assert_eq!(ablation(method).name, "ckd");
    }
    assert_eq!(ablation("ckd-kl").get::<Ckd>().lambda_g, 5.0, "what is not left out is as found");
}

#[test]
fn parts_left_out_are_left_out_whatever_is_set_for_all_runs() {
    let set = |key: &str, value: toml::Value| (key.to_owned(), value);
    let user = Point::new(vec![
        set("balance.ckd.lambda_g", 5.0.into()),
        set("balance.ckd.weights", "paper".into()),
        set("balance.ckd.specific", "hinge".into()),
    ]);
    let ckd = |method: &str| {
        let none = Point::default();
        compose(paper(), "vbpr", method, [&none, &none], &user).unwrap().balance.get::<Ckd>()
    };
    assert_eq!(ckd("ckd").lambda_g, 5.0);
    for method in ["ckd-no-generic", "ckd-no-reweight", "ckd-kl", "ckd-mse"] {
        assert_ne!(ckd(method), ckd("ckd"), "{method} is CKD itself");
    }
    assert_eq!(ckd("ckd-kl").lambda_g, 5.0);
}

#[test]
fn metrics_exist_and_are_measured() {
    let config = resolved(&cells(&tables()[1])[0], &[], &[]);
    for metric in tables().iter().flat_map(|t| &t.metrics) {
        Selection::parse(metric).unwrap();
        let (name, k) = metric.split_once('@').unwrap();
        assert!(config.eval.ks.contains(&k.parse().unwrap()), "{metric}");
        assert!(config.eval.metrics.iter().any(|m| m.as_str() == name), "{metric}");
    }
}

/// How many numbers a row of a table has.
fn columns(table: &TableSpec) -> usize {
    if table.kind == TableKind::Channels { table.modalities.len() } else { table.metrics.len() }
}

#[test]
fn every_cell_of_every_table_has_its_published_numbers() {
    for table in tables().iter().filter(|t| t.kind != TableKind::Curves) {
        for cell in cells(table) {
            for column in 0..=columns(table) {
                let number = table.number(&cell.backbone, &cell.method, &cell.dataset, column);
                assert_eq!(number.is_some(), column < columns(table), "{cell}, number {column}");
                assert!(number.is_none_or(|n| (0.001..0.2).contains(&n.printed)), "{cell}");
            }
        }
    }
}

/// NDCG and precision follow recall closely on these data: a digit lost in one of them stands out.
#[test]
fn exactly_the_numbers_that_do_not_fit_their_row_are_marked() {
    let table = &tables()[1];
    let mut misfits = 0;
    for cell in cells(table) {
        let of = |c| table.number(&cell.backbone, &cell.method, &cell.dataset, c).unwrap();
        let row = [0, 1, 2].map(of);
        let fits = |[recall, ndcg, precision]: [f64; 3]| {
            (0.39..0.56).contains(&(ndcg / recall)) && (0.04..0.065).contains(&(precision / recall))
        };
        let marked = row.iter().any(|n| n.likely.is_some());
        assert_eq!(fits(row.map(|n| n.printed)), !marked, "{cell}");
        assert!(fits(row.map(|n| n.likely.unwrap_or(n.printed))), "{cell}");
        misfits += usize::from(marked);
    }
    assert_eq!((misfits, table.misprints.len()), (4, 4));
    for m in &table.misprints {
        assert!((m.likely / m.printed - 10.0).abs() < 0.01, "{m:?}: a lost zero");
    }
}

#[test]
fn the_tables_agree_where_they_print_the_same_runs() {
    let [_, one, _, three] = tables() else { panic!("four files") };
    for cell in cells(three).iter().filter(|c| c.method == "ckd") {
        let of = |t: &TableSpec| t.number(&cell.backbone, "ckd", &cell.dataset, 0).unwrap().printed;
        assert_eq!(of(one), of(three), "{cell}");
    }
}

#[test]
fn the_full_budget_has_the_ranges_of_the_paper() {
    let axes = &paper().search["full"].axes;
    let values = |method: &str, key: &str| -> Vec<f64> {
        let axis = axes[method].iter().find(|a| a.key == key).unwrap();
        axis.values.iter().map(|v| v.as_float().unwrap()).collect()
    };
    assert_eq!(values("none", "train.lr"), [1e-4, 5e-4, 1e-3, 5e-3]);
    assert_eq!(values("none", "train.reg"), [1e-5, 1e-4, 1e-3, 1e-2]);
    assert_eq!(values("ckd", "balance.ckd.lambda_kd"), [1e-3, 1e-2, 1e-1, 5e-1]);
    assert_eq!(values("ckd", "balance.ckd.lambda_g"), [0.1, 0.5, 1.0, 5.0]);
}

#[test]
fn what_the_paper_does_not_have_is_refused_by_name() {
    let choose = Choose { backbones: vec!["vbrp".into()], ..Choose::default() };
    let error = expand(paper(), &tables()[1], &choose, &names()).unwrap_err();
    assert!(error.starts_with("--backbones vbrp:") && error.contains("mmgcn"), "{error}");
    let choose = Choose { methods: vec!["teacher".into()], ..Choose::default() };
    assert!(expand(paper(), &tables()[1], &choose, &names()).is_err(), "teachers are rows of table 2 alone");
    let only = Choose { backbones: vec!["grcn".into()], methods: vec!["ckd".into()] };
    let chosen = expand(paper(), &tables()[1], &only, &["baby".into()]).unwrap();
    let methods: Vec<&str> = chosen.iter().map(|c| c.method.as_str()).collect();
    assert_eq!(methods, ["none", "ckd"], "the reference is always there");
}

/// A stored study, and the methods of its tables, each resolved at every value of its searches.
fn stored(name: &str) -> (PaperFiles, Vec<String>) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments").join(name);
    let files = PaperFiles::read(&folder).unwrap();
    let (paper, none) = (&files.paper, Point::default());
    let mut methods = Vec::new();
    for table in &files.tables {
        for cell in expand(paper, table, &Choose::default(), &["baby".into()]).unwrap() {
            if unsupported(paper, &cell.backbone, &cell.method).is_some() {
                continue;
            }
            let method = if cell.method == TEACHER { "none" } else { &cell.method };
            let start = compose(paper, &cell.backbone, method, [&none, &none], &none).unwrap();
            for axis in &paper.search["small"].axes[method] {
                for value in candidates(axis, &start).unwrap() {
                    let own = Point::new(vec![(axis.key.clone(), value)]);
                    compose(paper, &cell.backbone, method, [&none, &own], &none).unwrap();
                }
            }
            methods.push(cell.method);
        }
    }
    methods.sort();
    methods.dedup();
    (files, methods)
}

#[test]
fn the_study_on_real_data_resolves_at_every_value_of_its_searches() {
    let (_, methods) = stored("real-data");
    assert_eq!(methods, ["ckd", "ckd-released", "none", "teacher"]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/nothing");
    let error = PaperFiles::read(&folder).unwrap_err();
    assert!(error.contains("paper.toml"), "{error}");
}

#[test]
fn the_study_of_the_papers_protocol_searches_its_ranges_and_prints_its_figures() {
    let (PaperFiles { paper: own, tables: of_it }, methods) = stored("paper-protocol");
    assert_eq!(methods, ["ckd", "none"]);
    let values = |paper: &Paper, budget: &str, method: &str, key: &str| {
        let axis = paper.search[budget].axes[method].iter().find(|axis| axis.key == key).unwrap().clone();
        let mut values: Vec<f64> = axis.values.iter().map(|value| value.as_float().unwrap()).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    for (method, key) in [
        ("none", "train.reg"),
        ("none", "train.lr"),
        ("ckd", "balance.ckd.lambda_kd"),
        ("ckd", "balance.ckd.lambda_g"),
    ] {
        assert_eq!(values(&own, "small", method, key), values(paper(), "full", method, key), "{key}");
    }
    let (own, theirs) = (&of_it[0].published, &tables()[1].published);
    for (backbone, methods) in own {
        for (method, sets) in methods {
            assert_eq!(sets["baby"], theirs[backbone][method]["baby"], "{backbone} {method}");
        }
    }
}

#[test]
fn the_study_of_balance_has_plain_models_in_every_search_and_models_without_content() {
    let (PaperFiles { paper, tables }, _) = stored("balance");
    assert_eq!(tables.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["balance", "rivals"]);
    for table in &tables {
        for cell in expand(&paper, table, &Choose::default(), &["baby".into()]).unwrap() {
            let content = !["bprmf", "lightgcn"].contains(&cell.backbone.as_str());
            let runs = unsupported(&paper, &cell.backbone, &cell.method).is_none();
            assert_eq!(runs, content || cell.method == "none", "{cell}");
        }
    }
    for method in ["ckd", "robust"] {
        let axes = &paper.search["small"].axes[method];
        let strength = axes.iter().find(|axis| axis.key == "balance.ckd.lambda_kd").unwrap();
        assert!(strength.values.contains(&toml::Value::Float(0.0)), "{method}");
    }
}

#[test]
fn balancers_beside_each_other_have_searches_of_the_same_number_of_runs() {
    let (PaperFiles { paper, tables }, _) = stored("balance");
    let axes = &paper.search["small"].axes;
    // One after the other: the first value of an axis is the best of those before it.
    let runs = |method: &str| {
        let more = axes[method].iter().map(|axis| axis.values.len().max(axis.times.len()) - 1);
        1 + more.sum::<usize>()
    };
    for method in tables[1].methods.iter().filter(|method| *method != "none") {
        assert_eq!(runs(method), runs("ckd"), "{method}");
    }
}
