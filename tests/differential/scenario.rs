//! The table's form, and the table: a scenario has a name, its roles, and what is played.

use crate::cast::Roles;
use crate::play::Play;

/// One row.
pub struct Scenario {
    /// Its name, unique.
    pub name: String,
    /// The combinations it is played in.
    pub roles: Roles,
    /// What is done and looked at.
    pub play: Box<dyn Fn(&mut Play) + Send + Sync>,
}

/// A row of the table.
pub fn scenario(name: &str, roles: Roles, play: impl Fn(&mut Play) + Send + Sync + 'static) -> Scenario {
    Scenario { name: name.to_owned(), roles, play: Box::new(play) }
}

/// All rows.
pub fn table() -> Vec<Scenario> {
    let parts = [
        crate::protocol::scenarios(),
        crate::runsv::scenarios(),
        crate::control::scenarios(),
        crate::log::scenarios(),
        crate::sv::scenarios(),
        crate::life::scenarios(),
        crate::runsvdir::scenarios(),
        crate::svlogd_options::scenarios(),
        crate::svlogd_opening::scenarios(),
        crate::svlogd_config::scenarios(),
        crate::svlogd_patterns::scenarios(),
        crate::svlogd_lines::scenarios(),
        crate::svlogd_rotation::scenarios(),
        crate::svlogd_signals::scenarios(),
        crate::svlogd_processor::scenarios(),
        crate::svlogd_network::scenarios(),
        crate::svlogd_several::scenarios(),
        crate::chpst::scenarios(),
    ];
    parts.into_iter().flatten().collect()
}
