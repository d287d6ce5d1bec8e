use std::collections::HashMap;

use headwater_core::TopicName;

use crate::native::{Sender, Topic};

/// The topics that a producer has written to, as librdkafka holds them.
#[derive(Default)]
pub(super) struct Topics {
    held: Vec<Topic>,
    places: HashMap<TopicName, usize>,
    /// That of the record before: mostly also this one's, and two names are compared sooner than one is hashed.
    last: Option<(TopicName, usize)>,
}

impl Topics {
    /// The place of the topic with this name; none if it cannot be a topic's.
    pub(super) fn find(&mut self, name: &TopicName, sender: &Sender) -> Option<usize> {
        if let Some((last, place)) = &self.last
            && last == name
        {
            return Some(*place);
        }
        let place = self.place(name, sender)?;
        self.last = Some((name.clone(), place));
        Some(place)
    }

    /// The topic at a place that was found.
    pub(super) fn at(&self, place: usize) -> &Topic {
        &self.held[place]
    }

    fn place(&mut self, name: &TopicName, sender: &Sender) -> Option<usize> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        self.held.push(sender.topic(name)?);
        let place = self.held.len() - 1;
        self.places.insert(name.clone(), place);
        Some(place)
    }
}
