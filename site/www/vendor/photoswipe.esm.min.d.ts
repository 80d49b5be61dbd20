// For the check of types alone: what the package says of itself lies in a hundred files.
declare const PhotoSwipe: any;
export default PhotoSwipe;
