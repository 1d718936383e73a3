//! Models that the project no longer has.

use envoi_batch::record::RunStatus;
use envoi_batch::{RunError, plan};

use crate::support::{World, blocking};

impl World {
    fn without(&mut self, path: &str) -> &mut Self {
        self.sources.files.remove(path);
        self
    }

    fn prune(&mut self, names: &[&str]) -> &mut Self {
        self.options.prune = Some(names.iter().map(|n| (*n).to_owned()).collect());
        self
    }

    async fn models(&self) -> Vec<String> {
        self.manifest().await.models.iter().map(|m| m.name.clone()).collect()
    }

    async fn refused(&self) -> String {
        self.try_run().await.unwrap_err().to_string()
    }
}

#[test]
fn what_is_gone_is_said_and_taken_out_when_asked() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x").file("old.sql", "select 2 as x").file("view.sql", "select x from old");
        world.file("view.toml", "materialisation = \"view\"");
        world.ran().await;
        world.without("old.sql").without("view.sql").without("view.toml");
        assert_eq!(world.ran().await, ["a: unchanged (unchanged)"]);
        let planned = plan(&world.factory, &world.sources, &world.options).await.unwrap();
        let gone: Vec<_> = planned.iter().filter(|p| p.gone).map(|p| (p.name.as_str(), p.reason.as_str())).collect();
        let reason = "no longer in the project; `--prune` takes it out";
        assert_eq!(gone, [("old", reason), ("view", reason)]);
        assert_eq!(world.models().await, ["a", "old", "view"]);
        // In the same version as what is new.
        world.file("b.sql", "select 3 as x").prune(&[]);
        let version = world.manifest().await.version;
        let record = world.run().await;
        assert_eq!((record.status, record.pruned.as_slice()), (RunStatus::Success, &["old".into(), "view".into()][..]));
        assert_eq!((world.models().await, world.manifest().await.version), (vec!["a".into(), "b".into()], version + 1));
        assert!(world.manifest().await.operation.ends_with("without old, view"));
        world.is_sound().await;
        // Alone too, and once more is nothing.
        world.without("b.sql");
        assert_eq!(world.run().await.pruned, ["b"]);
        let version = world.manifest().await.version;
        assert!(world.run().await.pruned.is_empty());
        assert_eq!(world.manifest().await.version, version);
    });
}

#[test]
fn models_of_other_projects_stay() {
    blocking(async {
        let mut world = World::new();
        world.sources.home = "/one".into();
        world.file("theirs.sql", "select 1 as x").ran().await;
        world.sources.home = "/other".into();
        world.without("theirs.sql").file("ours.sql", "select 1 as x").prune(&[]);
        assert!(world.run().await.pruned.is_empty());
        assert_eq!(world.models().await, ["ours", "theirs"]);
        // By its name it goes, whoever made it.
        world.prune(&["theirs"]);
        assert_eq!(world.run().await.pruned, ["theirs"]);
        // A project that has a name is the same one in another folder.
        world.file("project.toml", "name = \"marts\"").file("more.sql", "select 1 as x");
        world.options.prune = None;
        assert_eq!(world.ran().await, ["more: published (new)", "ours: published (what is said of it changed)"]);
        world.sources.home = "/third".into();
        assert_eq!(world.ran().await, ["more: unchanged (unchanged)", "ours: unchanged (unchanged)"]);
        world.without("more.sql").prune(&[]);
        assert_eq!(world.run().await.pruned, ["more"]);
    });
}

#[test]
fn what_is_read_is_not_taken_out() {
    blocking(async {
        let mut world = World::new();
        world.sources.home = "/one".into();
        world.file("base.sql", "select 1 as x").file("top.sql", "select x from base").ran().await;
        // A model of this project reads it.
        world.without("base.sql").prune(&[]);
        let error = world.refused().await;
        assert!(error.contains("top.sql: it reads model `base`, which the project no longer has"), "{error}");
        // One of another project does.
        world.without("top.sql").file("c.sql", "select 1 as x");
        let text = world.sources.clone();
        world.sources.home = "/other".into();
        world.options.prune = None;
        world.without("c.sql").file("reader.sql", "select x from base").ran().await;
        world.sources = text;
        world.prune(&[]);
        let error = world.refused().await;
        assert!(
            error.contains("model `reader` of project `/other` reads") && error.contains("--prune=base,reader"),
            "{error}"
        );
        world.prune(&["base", "reader", "top"]);
        assert_eq!(world.run().await.pruned, ["base", "reader", "top"]);
    });
}

#[test]
fn only_if_all_else_is_published() {
    blocking(async {
        let mut world = World::new();
        world.file("old.sql", "select 1 as x").ran().await;
        world.without("old.sql").file("new.sql", "select cast('z' || random() as bigint) as x").prune(&[]);
        let record = world.run().await;
        assert_eq!((record.status, record.pruned.len()), (RunStatus::Failed, 0));
        assert_eq!(world.models().await, ["old"]);
    });
}

#[test]
fn one_that_is_built_no_more_with_it_is() {
    blocking(async {
        let mut world = World::new();
        world.file("old.sql", "select 1 as x").file("top.sql", "select x from old").file("c.sql", "select 1 as x");
        world.ran().await;
        // `top` reads it no longer, but is not asked for.
        world.without("old.sql").file("top.sql", "select 2 as x").prune(&["old"]);
        world.options.selectors = vec!["c".into()];
        let record = world.run().await;
        let failure = record.failure.unwrap();
        assert_eq!((record.status, failure.step.as_str()), (RunStatus::Failed, "prune"));
        assert!(failure.message.contains("`top` reads it as it was built last"), "{}", failure.message);
        world.options.selectors = vec!["top".into()];
        assert_eq!(world.run().await.pruned, ["old"]);
        assert_eq!(world.models().await, ["c", "top"]);
    });
}

#[test]
fn names_that_cannot_be_meant_are_refused() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x").file("gone.sql", "select 1 as x").ran().await;
        world.without("gone.sql");
        for (names, selector, part) in [
            (&["a"][..], None, "the project has model `a`, in `a.sql`; delete the file"),
            (&["gonne"], None, "the lake has no model `gonne`; did you mean `gone`?"),
            (&[], Some("a"), "beside selectors it names the models, such as `--prune=a,b`"),
        ] {
            world.prune(names).options.selectors = selector.into_iter().map(str::to_owned).collect();
            assert!(matches!(world.try_run().await, Err(RunError::Usage(what)) if what.contains(part)), "{part}");
        }
        world.prune(&["gone"]).options.selectors = vec!["a".into()];
        assert_eq!(world.run().await.pruned, ["gone"]);
    });
}
