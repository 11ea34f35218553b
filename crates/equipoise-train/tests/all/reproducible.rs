//! Which runs are equal to the last bit, and which are not.

use crate::common;

use common::World;
use equipoise_balance::gb::{Schedule, Updates};
use equipoise_balance::ogm::Apply;
use equipoise_balance::{Agm, Ckd, Gb, HeadLosses, Losses, Ogm, Setup, Teacher, balancers};
use equipoise_data::Seed;
use equipoise_models::{Inputs, Model, find};
use equipoise_nn::parameters::Snapshot;
use equipoise_train::{Event, Listener, Role, RunConfig, StopFlag, Trainer};

/// What a run leaves: every table, and the validation metric of every epoch.
#[derive(Debug, PartialEq)]
struct Left {
    tables: Snapshot,
    validation: Vec<Epoch>,
}

/// One epoch's validation metric, and each channel's.
type Epoch = (Option<f64>, Vec<(String, f64)>);

#[derive(Default)]
struct Validation(Vec<Epoch>);

impl Listener<Event> for Validation {
    fn event(&mut self, event: &Event) {
        if let Event::Epoch(record) = event {
            self.0.push((record.validation, record.channels.clone()));
        }
    }
}

/// Teachers that were never trained: their margins are as good as any here.
fn teachers(world: &World, config: &RunConfig) -> Vec<Teacher> {
    let device = equipoise_nn::device("cpu").unwrap();
    let model = Model::new(&config.backbone, &world.loaded.data, Seed(5), &device).unwrap();
    (0..world.modalities().len()).map(|m| Teacher::of(&model, m)).collect()
}

/// Heads of some losses: any weights are as good.
fn setup(world: &World, config: &RunConfig) -> Setup {
    let (n, ablation_effect) =
        (world.modalities().len(), find(&config.backbone.name).unwrap().ablation_effect);
    let (before, after) = (Losses { train: 0.7, validation: 0.7 }, Losses { train: 0.4, validation: 0.5 });
    let heads = vec![HeadLosses { before, after }; n + 1];
    Setup { teachers: teachers(world, config), heads, ..Setup::new(n, ablation_effect, Seed(config.seed)) }
}

fn train(world: &World, config: &RunConfig) -> Left {
    let entry = equipoise_balance::find(&config.balance.name).unwrap();
    let balancer = entry.build(&config.balance.sections, setup(world, config));
    let config = config.clone().checked().unwrap();
    let trainer =
        Trainer::new(&world.loaded.data, &Inputs::new(&world.loaded.data), &config, Role::Model, balancer)
            .unwrap();
    let mut validation = Validation::default();
    let trained = trainer.run(&mut validation, &StopFlag::default()).unwrap();
    Left { tables: trained.model.parameters.snapshot(), validation: validation.0 }
}

fn on_threads(count: usize, world: &World, config: &RunConfig) -> Left {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
    pool.install(|| train(world, config))
}

#[test]
fn distillation_of_weight_zero_is_the_plain_run_to_the_last_bit() {
    let world = World::new();
    let mut off = world.distilled();
    off.balance.get_mut::<Ckd>().lambda_kd = 0.0;
    let plain = train(&world, &world.config());
    assert_eq!(plain, train(&world, &off));
    assert_ne!(plain.tables, train(&world, &world.distilled()).tables, "with a weight it is another");
}

/// Settings of a run under this balancer, with what is random or measured in it switched on.
fn under(world: &World, balancer: &str) -> RunConfig {
    let mut config = world.distilled();
    config.balance.name = balancer.into();
    config.balance.get_mut::<Ogm>().ge = true;
    (config.balance.get_mut::<Gb>().schedule, config.balance.get_mut::<Gb>().every) = (Schedule::Online, 1);
    config
}

#[test]
fn a_seed_gives_the_same_bits_again_and_another_seed_does_not() {
    let world = World::new();
    let plain = train(&world, &world.config());
    for entry in balancers() {
        let config = under(&world, entry.name);
        let first = train(&world, &config);
        assert_eq!(first, train(&world, &config), "{}", entry.name);
        assert_eq!(first == plain, entry.name == "none", "{}", entry.name);
        let other = RunConfig { seed: config.seed + 1, ..config };
        assert_ne!(first.tables, train(&world, &other).tables, "{}", entry.name);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let world = World::new();
    for entry in balancers() {
        let config = under(&world, entry.name);
        assert_eq!(on_threads(1, &world, &config), on_threads(3, &world, &config), "{}", entry.name);
    }
}

#[test]
fn balancers_of_no_strength_are_the_plain_run_to_the_last_bit() {
    let world = World::new();
    let plain = train(&world, &world.config());
    let mut still = under(&world, "ogm");
    (still.balance.get_mut::<Ogm>().alpha, still.balance.get_mut::<Ogm>().ge) = (0.0, false);
    assert_eq!(train(&world, &still), plain);
    let mut still = under(&world, "agm");
    still.balance.get_mut::<Agm>().alpha = 0.0;
    assert_eq!(train(&world, &still), plain);
}

#[test]
fn modulation_acts_in_its_epochs_alone_on_gradients_or_on_steps() {
    let world = World::new();
    let plain = train(&world, &world.config());
    let with = |apply, start_epoch| {
        let mut config = under(&world, "ogm");
        config.balance.set(Ogm { alpha: 1.0, apply, start_epoch, ..Ogm::default() });
        train(&world, &config)
    };
    for apply in [Apply::Grad, Apply::Update] {
        assert_eq!(with(apply, 4), plain, "{apply:?}: training ends before");
        let (late, always) = (with(apply, 2), with(apply, 1));
        assert_eq!(
            late.validation[..2],
            plain.validation[..2],
            "{apply:?}: the first epoch is the plain one"
        );
        assert!(late.tables != plain.tables && late.tables != always.tables, "{apply:?}");
    }
    assert_ne!(with(Apply::Grad, 1).tables, with(Apply::Update, 1).tables);
}

/// Scores that are sums over modalities: a head reaches no other group anyway.
#[test]
fn passes_of_their_own_change_nothing_where_scores_are_sums() {
    let world = World::new();
    let mut config = under(&world, "gb");
    let own = train(&world, &config);
    config.balance.get_mut::<Gb>().updates = Updates::All;
    let all = train(&world, &config);
    for ((a, _), (b, _)) in own.validation.iter().zip(&all.validation) {
        assert!((a.unwrap() - b.unwrap()).abs() < 0.02, "{a:?} {b:?}");
    }
}

#[test]
fn measuring_channels_changes_no_bit() {
    let world = World::new();
    let mut config = world.config();
    let with = train(&world, &config);
    config.train.channels = false;
    let without = train(&world, &config);
    assert_eq!(with.tables, without.tables);
    assert!(with.validation[0].1.len() == 3 && without.validation[0].1.is_empty());
}
