//! Configurations that follow from that of a run: those of its teachers and of its plain model.

use super::types::RunConfig;

impl RunConfig {
    /// The configuration of a teacher of this run: the same data, network and training but for what
    /// `balance.teacher` says, no balancer.
    pub fn of_teacher(&self) -> RunConfig {
        let mut teacher = self.of_plain();
        let own = self.balance.teacher;
        teacher.train.lr = own.lr.unwrap_or(teacher.train.lr);
        teacher.train.reg = own.reg.unwrap_or(teacher.train.reg);
        teacher
    }

    /// The configuration of the plain model of this run: everything the same, no balancer.
    pub fn of_plain(&self) -> RunConfig {
        RunConfig { balance: Default::default(), ..self.clone() }
    }
}
