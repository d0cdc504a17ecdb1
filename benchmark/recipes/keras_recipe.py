"""The article's Keras notebook as a script on today's API: python benchmark/recipes/keras_recipe.py FOLDER BACKBONE.

Keras vs. PyTorch: Alien vs. Predator, deepsense.ai 2018, with EfficientNet-Lite0 in place of ResNet-50. Nothing of this
project is imported: this is what its emulation of Keras is measured against. FOLDER is {train,validation}/<class>/*,
BACKBONE a .keras file that maps pixels (n, 224, 224, 3), 0..255, to features (n, width): see export_backbone.py.
"""

import argparse
import json
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from sklearn.metrics import accuracy_score, log_loss


class BatchNormalization2018(layers.BatchNormalization):
    """Batch normalisation as in Keras 2.2.2, where "freezing is broken", as the article says.

    A frozen layer still normalises by the statistics of the batch while the model trains. The stored statistics never
    move, and are what it normalises by afterwards (keras/layers/normalization.py and engine/base_layer.py of 2.2.2).
    """

    def call(self, inputs, training=None, mask=None):
        if not training:
            return super().call(inputs, training=False)
        mean, variance = ops.moments(inputs, axes=(0, 1, 2))
        return ops.batch_normalization(inputs, mean, variance, axis=-1, offset=self.beta, scale=self.gamma,
                                       epsilon=self.epsilon)


def with_batch_normalization_2018(backbone):
    """Copy a backbone with each of its BatchNormalization layers replaced."""
    def replace(layer):
        kind = BatchNormalization2018 if isinstance(layer, layers.BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(backbone, clone_function=replace)
    copy.set_weights(backbone.get_weights())
    return copy


def main(options):
    started = time.perf_counter()
    keras.utils.set_random_seed(options.seed)

    # 2. data generators; flow_from_directory resizes to the nearest pixel unless told otherwise, then as now
    generator = tf.keras.preprocessing.image.ImageDataGenerator
    train = generator(shear_range=10, zoom_range=0.2, horizontal_flip=True).flow_from_directory(
        f"{options.folder}/train", batch_size=32, class_mode="binary", target_size=(224, 224))
    validation = generator().flow_from_directory(
        f"{options.folder}/validation", shuffle=False, class_mode="binary", target_size=(224, 224))

    # 3. the network
    backbone = keras.saving.load_model(options.backbone)
    if options.batch_norm == "2018":
        backbone = with_batch_normalization_2018(backbone)
    backbone.trainable = False
    x = layers.Dense(128, activation="relu")(backbone.output)
    outputs = layers.Dense(len(train.class_indices), activation="softmax")(x)
    model = keras.Model(backbone.input, outputs)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(), metrics=["accuracy"])

    # 4. training
    model.fit(train, epochs=options.epochs, verbose=0)
    probabilities = model.predict(validation, verbose=0)

    print(json.dumps({
        "recipe": f"keras, batch norm {options.batch_norm}", "seed": options.seed, "classes": list(train.class_indices),
        "accuracy": accuracy_score(validation.classes, probabilities.argmax(axis=1)),
        "log_loss": log_loss(validation.classes, probabilities, labels=np.arange(len(train.class_indices))),
        "seconds": round(time.perf_counter() - started, 1),
        "probabilities": dict(zip(validation.filenames, probabilities.tolist())),
    }))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("backbone")
    parser.add_argument("--seed", type=int, default=0, help="of shuffling, views and initial weights")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-norm", choices=("today", "2018"), default="today", help="whose batch normalisation")
    main(parser.parse_args())
