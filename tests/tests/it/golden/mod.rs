//! Golden tests: the flights application on a real Kafka, in every way it can be run, gives exactly what an independent computation
//! from the CSV gives. Each way has a broker of its own, because the group and the topics have the application's name.

mod bad_input;
mod embedded;
mod kafka;
mod stage;
